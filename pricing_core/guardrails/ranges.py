"""Which amounts are allowed in which range of prices: endings, steps or listed points, and the rounding direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, Final

from pricing_core.errors import ConfigError
from pricing_core.guardrails.kinds import is_number

NEAREST: Final = "nearest"
DOWN: Final = "down"
UP: Final = "up"
DIRECTIONS: Final = (NEAREST, DOWN, UP)
_NAMES: Final = {"start": "from", "end": "to"}


@dataclass(frozen=True)
class PriceRange:
    """Allowed amounts from ``start`` (included) to ``end`` (excluded; None: without end).

    Exactly one of ``endings``, ``step`` and ``points`` is given.

    Parameters
    ----------
    start, end
        Money.
    endings
        Allowed last two digits of the amount in minor units: 99 allows 4.99 dollars and 499 yen.
    step
        Money: multiples of it are allowed.
    points
        Money: these amounts are allowed.
    rounding
        To which allowed amount a price within the range moves: ``nearest`` takes the more profitable neighbor (with
        a rule of thumb, the nearer one), ``down`` the one below, ``up`` the one above.

    Raises
    ------
    ConfigError
        If a value is not allowed.
    """

    start: float = 0.0
    end: float | None = None
    endings: tuple[int, ...] = ()
    step: float | None = None
    points: tuple[float, ...] = ()
    rounding: str = NEAREST

    def __post_init__(self) -> None:
        if not is_number(self.start) or self.start < 0:
            raise ConfigError(f"A price range starts from {self.start!r}.", fix="It must be an amount of at least 0.")
        if self.end is not None and (not is_number(self.end) or self.end <= self.start):
            raise ConfigError(f"A price range goes from {self.start} to {self.end!r}.", fix="It must end above.")
        given = [name for name in ("endings", "step", "points") if getattr(self, name) not in ((), None, [])]
        if len(given) != 1:
            what = "none" if not given else " and ".join(given)
            raise ConfigError(
                f"The price range from {self.start} gives {what}.", fix="Give one of endings, step and points."
            )
        if self.rounding not in DIRECTIONS:
            raise ConfigError(f"rounding is {self.rounding!r}.", fix=f"It must be one of {', '.join(DIRECTIONS)}.")
        self._check_amounts()

    def _check_amounts(self) -> None:
        if self.step is not None and (not is_number(self.step) or self.step <= 0):
            raise ConfigError(f"step is {self.step!r}.", fix="It must be an amount above 0, such as 0.5.")
        if self.endings:
            object.__setattr__(self, "endings", checked_endings(self.endings))
        if self.points:
            points = self.points if isinstance(self.points, (list, tuple)) else ()
            if not points or not all(is_number(p) and self._inside(p) for p in points):
                raise ConfigError(
                    f"points is {self.points!r}.", fix="Give amounts above 0 within the range, such as [4.99, 9.99]."
                )
            object.__setattr__(self, "points", tuple(sorted({float(p) for p in points})))

    def _inside(self, amount: float) -> bool:
        return amount > 0 and self.start <= amount and (self.end is None or amount < self.end)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> PriceRange:
        """Build from a table such as ``{from = 0, to = 10, endings = [99]}``.

        Raises
        ------
        ConfigError
            If a key is unknown or a value is not allowed.
        """
        if not isinstance(values, Mapping):
            raise ConfigError(f"A price range is {values!r}.", fix="Write {from = 0, to = 10, endings = [99]}.")
        names = {_NAMES.get(field.name, field.name): field.name for field in fields(cls)}
        unknown = sorted(set(values) - set(names))
        if unknown:
            raise ConfigError(
                f"Unknown in a price range: {', '.join(unknown)}.", fix=f"Allowed are {', '.join(names)}."
            )
        given = {names[key]: value for key, value in values.items()}
        arguments: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
        return cls(**arguments)

    def to_mapping(self) -> dict[str, Any]:
        """Return what :meth:`from_mapping` reads back, without what is left at its default."""
        every = {each.name: (getattr(self, each.name), each.default) for each in fields(self)}
        given = {name: value for name, (value, default) in every.items() if value != default}
        return {_NAMES.get(name, name): list(v) if isinstance(v, tuple) else v for name, v in given.items()}

    @property
    def words(self) -> str:
        """Describe the range: ``below 10: .99, down``."""
        if self.endings:
            what = " or ".join(f".{ending:02d}" for ending in self.endings)
        elif self.step is not None:
            what = f"steps of {plain(self.step)}"
        else:
            what = ", ".join(plain(point) for point in self.points[:6]) + (" …" if len(self.points) > 6 else "")
        if self.start == 0 and self.end is None:
            where = ""
        elif self.end is None:
            where = f"from {plain(self.start)}: "
        else:
            where = (
                f"below {plain(self.end)}: " if self.start == 0 else f"from {plain(self.start)} to {plain(self.end)}: "
            )
        return where + what + ("" if self.rounding == NEAREST else f" rounded {self.rounding}")


def plain(number: float) -> str:
    """Write a number with as many digits as it has, up to four after the point: ``1,250``, ``9.5``."""
    text = f"{number:,.4f}"
    return text.rstrip("0").rstrip(".")


def checked_endings(endings: Any) -> tuple[int, ...]:
    """Endings, sorted and without repeats.

    Raises
    ------
    ConfigError
        If they are not whole numbers from 0 to 99.
    """
    good = isinstance(endings, (list, tuple)) and len(endings) > 0
    good = good and all(type(e) is int and 0 <= e <= 99 for e in endings)
    if not good:
        raise ConfigError(
            f"endings is {endings!r}.", fix="Give at least one whole number from 0 to 99, such as [49, 99]."
        )
    return tuple(sorted(set(endings)))


def check_ranges(ranges: Sequence[PriceRange]) -> tuple[PriceRange, ...]:
    """Return price ranges from low to high.

    Raises
    ------
    ConfigError
        If two overlap.
    """
    if not isinstance(ranges, (list, tuple)) or not all(isinstance(each, PriceRange) for each in ranges):
        raise ConfigError(f"ranges is {ranges!r}.", fix="Give price ranges.")
    ordered = tuple(sorted(ranges, key=lambda each: each.start))
    for one, two in pairwise(ordered):
        if one.end is None or one.end > two.start:
            end = "without end" if one.end is None else f"to {one.end:g}"
            raise ConfigError(
                f"Price ranges overlap: one goes from {one.start:g} {end}, the next starts from {two.start:g}.",
                fix="End each range where the next one starts.",
            )
    return ordered
