"""The rules a shop sets for its prices, as a validated configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from pricing_core.errors import ConfigError
from pricing_core.guardrails.kinds import SHOP_WIDE, is_number
from pricing_core.guardrails.ranges import checked_endings
from pricing_core.guardrails.rule import Rule
from pricing_core.guardrails.toml_text import read_toml, write_table

__all__ = ["NO_GUARDRAILS", "ROUNDINGS", "Guardrails", "read_toml"]

ROUNDINGS: Final = ("nearest", "down")


@dataclass(frozen=True)
class Guardrails:
    """Rules for recommended prices; None switches a shop-wide rule off.

    Parameters
    ----------
    margin_floor
        Least margin over price, below 1: 0.1 keeps the price at or above unit cost / 0.9. Default 0: never below cost.
    price_floor, price_ceiling
        Lowest and highest price, money.
    max_change_rate
        Largest change against the current price, either way: 0.2 is 20%.
    discount_only
        No price above the list price; where that is unknown, above the current price.
    endings
        Allowed last two digits of prices in minor units, such as ``(49, 99)``.
    rounding
        To which neighbor a price moves: ``nearest`` takes the one with more profit (with a rule of thumb, the
        nearer one), ``down`` the one below.
    decimals
        Digits after the decimal point of the currency: 2, for yen 0.
    horizon_offers
        Offers in the period over which budgets, capacities and minimum units count. None: the rows' own, by weight.
    rules
        Further rules, each for a part of the shop (:class:`~pricing_core.guardrails.rule.Rule`).

    Raises
    ------
    ConfigError
        If a value is not allowed; the message names the value received and what is allowed.
    """

    margin_floor: float | None = 0.0
    price_floor: float | None = None
    price_ceiling: float | None = None
    max_change_rate: float | None = None
    discount_only: bool = False
    endings: tuple[int, ...] | None = None
    rounding: str = "nearest"
    decimals: int = 2
    horizon_offers: float | None = None
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        _number("margin_floor", self.margin_floor, "a share below 1, such as 0.10", lambda v: v < 1)
        _number("price_floor", self.price_floor, "an amount of at least 0", lambda v: v >= 0)
        _number("price_ceiling", self.price_ceiling, "an amount above 0", lambda v: v > 0)
        _number("max_change_rate", self.max_change_rate, "a share of at least 0, such as 0.20", lambda v: v >= 0)
        if self.price_floor is not None and self.price_ceiling is not None:
            _require(
                self.price_floor <= self.price_ceiling,
                f"price_floor {self.price_floor} is above price_ceiling {self.price_ceiling}.",
                "Set the floor at or below the ceiling.",
            )
        _require(
            isinstance(self.discount_only, bool),
            f"discount_only is {self.discount_only!r}.",
            "It must be true or false.",
        )
        _require(
            self.rounding in ROUNDINGS,
            f"rounding is {self.rounding!r}.",
            f"It must be one of {', '.join(ROUNDINGS)}.",
        )
        _require(
            type(self.decimals) is int and 0 <= self.decimals <= 3,
            f"decimals is {self.decimals!r}.",
            "It must be 0, 1, 2 or 3.",
        )
        _number("horizon_offers", self.horizon_offers, "a number of offers above 0", lambda v: v > 0)
        if self.endings is not None:
            object.__setattr__(self, "endings", checked_endings(self.endings))
        self._check_rules()

    def _check_rules(self) -> None:
        good = isinstance(self.rules, (list, tuple)) and all(isinstance(rule, Rule) for rule in self.rules)
        _require(good, f"rules is {self.rules!r}.", "It must hold rules.")
        object.__setattr__(self, "rules", tuple(self.rules))
        on = [name for kind, name in SHOP_WIDE.items() if getattr(self, kind) not in (None, False)]
        twice = [name for name, times in Counter([*on, *(rule.label for rule in self.rules)]).items() if times > 1]
        _require(
            not twice,
            f"Two rules are called {twice[0]!r}." if twice else "",
            "Give each rule its own name, or remove one of them.",
        )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Guardrails:
        """Build from a table of settings; a table ``guardrails`` inside it is taken instead.

        The text ``"none"`` switches a rule off.

        Raises
        ------
        ConfigError
            If a key is unknown (the message names the allowed ones) or a value is not allowed.
        """
        inner = values.get("guardrails", values)
        if not isinstance(inner, Mapping):
            raise ConfigError(f"guardrails is {inner!r}.", fix="It must be a table of rules.")
        if inner is not values and "rules" in values:
            _require("rules" not in inner, "rules is given twice.", "Write [[rules]] or [[guardrails.rules]].")
            inner = {**inner, "rules": values["rules"]}
        allowed = [f.name for f in fields(cls)]
        unknown = sorted(set(inner) - set(allowed))
        if unknown:
            raise ConfigError(f"Unknown guardrail: {', '.join(unknown)}.", fix=f"Allowed are {', '.join(allowed)}.")
        given = {name: _from_toml_value(value) for name, value in inner.items()}
        if "rules" in given:
            given["rules"] = _rules_of(given["rules"])
        return cls(**given)

    @classmethod
    def from_toml(cls, source: Path | str) -> Guardrails:
        """Read from a TOML file (``Path``) or TOML text (``str``).

        Raises
        ------
        FileReadError
            If the file cannot be read or is not TOML.
        ConfigError
            As in :meth:`from_mapping`.
        """
        return cls.from_mapping(read_toml(source, "guardrails"))

    def to_toml(self) -> str:
        """Return all rules as TOML text that :meth:`from_toml` reads back; ``"none"`` is a rule switched off."""
        own = {name: value for name, value in self.to_mapping().items() if name != "rules"}
        return write_table(own) + "".join(f"\n[[rules]]\n{write_table(rule.to_mapping())}" for rule in self.rules)

    def to_mapping(self) -> dict[str, Any]:
        """Return JSON values that :meth:`from_mapping` reads back."""
        out = {each.name: getattr(self, each.name) for each in fields(self)}
        out["endings"] = None if self.endings is None else list(self.endings)
        return out | {"rules": [rule.to_mapping() for rule in self.rules]}

    def with_changes(self, **changes: Any) -> Guardrails:
        """Return a copy with some rules changed, validated again."""
        return replace(self, **changes)


def _from_toml_value(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return None if value == "none" else value


def _rules_of(tables: Any) -> tuple[Rule, ...]:
    if not isinstance(tables, tuple):
        raise ConfigError(f"rules is {tables!r}.", fix="Write one [[rules]] table for each rule.")
    found = []
    for number, table in enumerate(tables, start=1):
        try:
            found.append(Rule.from_mapping(table))
        except ConfigError as error:
            raise ConfigError(f"Rule {number} of {len(tables)}: {error.message}", fix=error.fix) from error
    return tuple(found)


def _number(name: str, value: object, allowed: str, holds: Any) -> None:
    if value is None:
        return
    _require(is_number(value) and holds(value), f"{name} is {value!r}.", f"It must be {allowed}.")


def _require(good: bool, message: str, fix: str) -> None:
    if not good:
        raise ConfigError(message, fix=fix)


NO_GUARDRAILS: Final = Guardrails(margin_floor=None)
"""No rule at all; prices still stay among those that past data support."""
