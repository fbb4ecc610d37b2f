"""One rule with its scope, its strictness and its priority."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from pricing_core.errors import ConfigError
from pricing_core.guardrails.kinds import CAPACITY, COMPETITOR_BAND, KINDS, PRICE_ORDER, Kind, is_number
from pricing_core.guardrails.ranges import PriceRange, check_ranges, plain
from pricing_core.guardrails.scope import EVERYTHING, Scope

LEVELS: Final = ("product", "row")
DEFAULT_PRIORITY: Final = 100
_EXTRAS: Final = ("low_rate", "high_rate", "ranges", "group", "lower", "higher", "level")


@dataclass(frozen=True)
class Rule:
    """A rule for some rows.

    Parameters
    ----------
    kind
        One of :data:`~pricing_core.guardrails.kinds.KINDS`.
    value
        Its number; which one is told by the kind. Capacity without a number is each product's stock.
    scope
        Rows for which it holds.
    low_rate, high_rate
        Of a competitor band: shares of the competitor's price, such as 0.95 and 1.05.
    ranges
        Of a price ladder or price endings.
    group
        Of equal price and parity: the label whose values are the groups. Equal price by a label of products
        (``brand``, ``products: pack_family``) holds across the products of a group; by any other label, each product
        has one price per group.
    lower, higher
        Of a price order: no price of ``lower`` plus ``value`` is above any price of ``higher``.
    level
        Of the number of changes: ``product`` counts products with a changed price, ``row`` counts rows.
    hard
        A hard rule is never broken. A soft one gives way, as far as needed, where it contradicts hard rules or soft
        rules of more importance.
    priority
        Among soft rules, 1 is kept longest.
    name
        On screen; default: kind, number and scope in words.

    Raises
    ------
    ConfigError
        If a value is not allowed; the message names the rule, the value received and what is allowed.
    """

    kind: str
    value: float | None = None
    scope: Scope = EVERYTHING
    low_rate: float | None = None
    high_rate: float | None = None
    ranges: tuple[PriceRange, ...] = ()
    group: str = ""
    lower: str = ""
    higher: str = ""
    level: str = "product"
    hard: bool = True
    priority: int = DEFAULT_PRIORITY
    name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in KINDS:
            raise ConfigError(f"There is no rule {self.kind!r}.", fix=f"Rules are {', '.join(KINDS)}.")
        if not isinstance(self.scope, Scope):
            raise self._error("scope", "a scope, such as category wine")
        self._check_value()
        self._check_extras()
        if not isinstance(self.hard, bool):
            raise self._error("hard", "true or false")
        if type(self.priority) is not int or self.priority < 1:
            raise self._error("priority", "a whole number of at least 1; 1 is kept longest")
        if not isinstance(self.name, str) or ";" in self.name:
            raise self._error("name", "text without a semicolon")

    @property
    def about(self) -> Kind:
        """What its kind is."""
        return KINDS[self.kind]

    @property
    def coupled(self) -> bool:
        """Whether it ties several rows together."""
        return self.about.coupled

    @property
    def label(self) -> str:
        """Its name, or else its words."""
        return self.name or self.words

    @property
    def words(self) -> str:
        """Kind, number and scope in words: ``margin floor 10% for category wine``."""
        where = f" for {self.scope.words}" if self.scope.words else ""
        return f"{self.about.words}{self._number_words()}{where}".replace(";", ",")  # lists of rules are split at it

    def with_changes(self, **changes: Any) -> Rule:
        """Return a copy with some values changed, validated again."""
        return replace(self, **changes)

    def _number_words(self) -> str:
        if self.kind == COMPETITOR_BAND:
            return f" {_percent(self.low_rate)} to {_percent(self.high_rate)}"
        if self.kind == PRICE_ORDER:
            gap = f" with a gap of {plain(self.value)}" if self.value else ""
            return f" {self.lower} below {self.higher}{gap}"
        if self.ranges:
            return f" ({' / '.join(each.words for each in self.ranges)})"
        by = f" by {self.group.split(': ', 1)[-1].replace('_', ' ')}" if self.group else ""
        if self.value is None:
            return " of stock" if self.kind == CAPACITY else by
        number = _percent(self.value) if self.about.unit == "rate" else plain(self.value)
        return f" {number}{by}"

    def _check_value(self) -> None:
        about = self.about
        if about.unit == "none":
            if self.value is not None:
                raise ConfigError(f"The rule {self.kind} has a value {self.value!r}.", fix="It takes none; remove it.")
            return
        if self.value is None and about.optional:
            return
        if not is_number(self.value) or not about.holds(float(self.value or 0.0)):
            raise self._error("value", about.allowed)
        object.__setattr__(self, "value", float(self.value or 0.0))

    def _check_extras(self) -> None:
        allowed = (*self.about.needs, *self.about.takes)
        defaults = {each.name: each.default for each in fields(self)}
        for name in _EXTRAS:
            given = getattr(self, name)
            if name not in allowed and given != defaults[name]:
                raise ConfigError(f"The rule {self.kind} has {name} {given!r}.", fix="It takes none; remove it.")
        if "ranges" in allowed:
            object.__setattr__(self, "ranges", check_ranges(self.ranges))
            if not self.ranges:
                raise self._error("ranges", "at least one price range")
            if self.kind == "endings" and not all(each.endings for each in self.ranges):
                raise ConfigError("The rule endings has a price range without endings.", fix="Give endings to each.")
        if "low_rate" in allowed:
            self._check_band()
        for name in ("group", "lower", "higher"):
            given = getattr(self, name)
            if name in self.about.needs and (not isinstance(given, str) or not given.strip()):
                raise self._error(name, "the name of a label" if name == "group" else "a product_id")
        if self.kind == PRICE_ORDER and self.lower == self.higher:
            raise ConfigError(f"The price order compares {self.lower!r} with itself.", fix="Name two products.")
        if self.level not in LEVELS:
            raise self._error("level", f"one of {', '.join(LEVELS)}")

    def _check_band(self) -> None:
        for name in ("low_rate", "high_rate"):
            given = getattr(self, name)
            if not is_number(given) or given < 0:
                raise self._error(name, "a share of the competitor's price of at least 0, such as 0.95")
            object.__setattr__(self, name, float(given))
        if self.low_rate > self.high_rate or self.high_rate == 0:  # type: ignore[operator]
            raise ConfigError(
                f"The competitor band goes from {self.low_rate} to {self.high_rate}.",
                fix="The low rate must not be above the high rate, and that must be above 0.",
            )

    def _error(self, field: str, allowed: str) -> ConfigError:
        return ConfigError(
            f"{field} of the rule {self.kind} is {getattr(self, field)!r}.", fix=f"It must be {allowed}."
        )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Rule:
        """Build from a table such as ``{kind = "margin_floor", value = 0.1, scope = "category", in = ["wine"]}``.

        Raises
        ------
        ConfigError
            If a key is unknown (the message names the allowed ones) or a value is not allowed.
        """
        if not isinstance(values, Mapping):
            raise ConfigError(f"A rule is {values!r}.", fix='Write [[rules]] and below it kind = "margin_floor" …')
        given = dict(values)
        allowed = ["kind", "value", "scope", "in", *[f.name for f in fields(cls) if f.name not in _OWN]]
        unknown = sorted(set(given) - set(allowed))
        if unknown:
            raise ConfigError(f"Unknown in a rule: {', '.join(unknown)}.", fix=f"Allowed are {', '.join(allowed)}.")
        if "kind" not in given:
            raise ConfigError("A rule has no kind.", fix=f"Kinds are {', '.join(KINDS)}.")
        within = given.pop("in", ())
        scope = Scope(given.pop("scope", EVERYTHING.by), tuple(within) if isinstance(within, list) else within)
        ranges = given.pop("ranges", ())
        if not isinstance(ranges, (list, tuple)):
            raise ConfigError(f"ranges is {ranges!r}.", fix="Write ranges = [{from = 0, endings = [99]}].")
        return cls(**given, scope=scope, ranges=tuple(PriceRange.from_mapping(each) for each in ranges))

    def to_mapping(self) -> dict[str, Any]:
        """Return what :meth:`from_mapping` reads back, without what is left at its default."""
        out: dict[str, Any] = {"kind": self.kind}
        if self.value is not None:
            out["value"] = self.value
        if self.scope != EVERYTHING:
            out |= {"scope": self.scope.by, "in": list(self.scope.values)}
        for each in fields(self):
            if each.name not in _OWN and each.name != "ranges" and getattr(self, each.name) != each.default:
                out[each.name] = getattr(self, each.name)
        if self.ranges:
            out["ranges"] = [each.to_mapping() for each in self.ranges]
        return out


_OWN: Final = ("kind", "value", "scope")


def _percent(rate: float | None) -> str:
    return f"{100 * (rate or 0.0):.10g}%"
