"""The amounts that ladders and endings allow, in minor units: the nearest ones below and above any amount."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.guardrails.ranges import DOWN, NEAREST, UP, PriceRange

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_CYCLE: Final = 100  # an ending is the last two digits of the amount in minor units
_SIGNS: Final = {NEAREST: 0, DOWN: -1, UP: 1}
_FAR: Final = 1e15
_LONGEST_CYCLE: Final = 1_000_000


@dataclass(frozen=True, eq=False)
class Piece:
    """Whole amounts from ``start`` to below ``end``: given remainders of a cycle, or listed amounts (cycle 0)."""

    start: float
    end: float
    cycle: int
    amounts: Floats
    sign: int = 0

    def below(self, minor: Floats) -> Floats:
        """Largest amount of the piece at or below; −inf if none."""
        capped = np.minimum(minor, self.end - 1)
        base = np.floor(capped / self.cycle) * self.cycle if self.cycle else 0.0
        found = self._at(np.searchsorted(self.amounts, capped - base, side="right") - 1) + base
        return np.where(found >= self.start, found, -np.inf)

    def above(self, minor: Floats) -> Floats:
        """Smallest amount of the piece at or above; inf if none."""
        raised = np.maximum(minor, self.start)
        base = np.floor(raised / self.cycle) * self.cycle if self.cycle else 0.0
        found = self._at(np.searchsorted(self.amounts, raised - base, side="left")) + base
        return np.where(found < self.end, found, np.inf)

    def _at(self, index: Ints) -> Floats:
        """Amount by index; past the ends it is in the cycle before or after, or infinitely far."""
        count = len(self.amounts)
        inside = self.amounts[np.clip(index, 0, count - 1)]
        before, after = (
            (self.amounts[-1] - self.cycle, self.amounts[0] + self.cycle) if self.cycle else (-np.inf, np.inf)
        )
        return np.where(index < 0, before, np.where(index >= count, after, inside))


class PointSet:
    """Allowed amounts; outside of its pieces none is.

    Parameters
    ----------
    pieces
        From low to high, without overlap.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = [piece for piece in pieces if len(piece.amounts) and piece.start < piece.end]

    @classmethod
    def of(cls, ranges: Sequence[PriceRange], digits: int) -> PointSet:
        """Amounts that price ranges allow; outside of them every whole minor unit is allowed."""
        pieces: list[Piece] = []
        unit, reached = 10.0**digits, 0.0
        for each in ranges:
            start = float(np.ceil(round(each.start * unit, 6)))
            end = _FAR if each.end is None else float(np.ceil(round(each.end * unit, 6)))
            if start > reached:
                pieces.append(_every(reached, start))
            pieces.append(_piece(each, start, end, unit))
            reached = end
        if reached < _FAR:
            pieces.append(_every(reached, _FAR))
        return cls(pieces)

    @classmethod
    def common(cls, sets: Sequence[PointSet]) -> PointSet:
        """Amounts that all sets allow.

        Raises
        ------
        ConfigError
            If their steps have no common multiple below a million minor units.
        """
        result = sets[0]
        for other in sets[1:]:
            pairs = [(one, two) for one in result._pieces for two in other._pieces]
            result = cls([_common(one, two) for one, two in pairs if max(one.start, two.start) < min(one.end, two.end)])
        return result

    def below(self, minor: Floats) -> Floats:
        """Largest allowed amount at or below each; −inf if none."""
        found = [piece.below(minor) for piece in self._pieces]
        return np.asarray(np.max(found, axis=0)) if found else np.full(len(minor), -np.inf)

    def above(self, minor: Floats) -> Floats:
        """Smallest allowed amount at or above each; NaN if none."""
        found = np.min([np.full(len(minor), np.inf), *(piece.above(minor) for piece in self._pieces)], axis=0)
        return np.where(np.isfinite(found), found, np.nan)

    def contains(self, minor: Floats) -> Mask:
        """Whether each whole amount is allowed."""
        return np.asarray(self.below(minor) == minor)

    def direction(self, minor: Floats) -> Ints:
        """Rounding direction of the range in which each amount lies: −1 down, 1 up, 0 nearest."""
        out = np.zeros(len(minor), dtype=np.int64)
        for piece in self._pieces:
            out[(minor >= piece.start) & (minor < piece.end)] = piece.sign
        return out


def _every(start: float, end: float) -> Piece:
    return Piece(start, end, 1, np.zeros(1))


def _piece(each: PriceRange, start: float, end: float, unit: float) -> Piece:
    sign = _SIGNS[each.rounding]
    if each.endings:
        return Piece(start, end, _CYCLE, np.array(each.endings, dtype=float), sign)
    if each.step is not None:
        return Piece(start, end, max(1, round(each.step * unit)), np.zeros(1), sign)
    return Piece(start, end, 0, np.unique(np.round(np.array(each.points) * unit)), sign)


def _common(one: Piece, two: Piece) -> Piece:
    start, end, sign = max(one.start, two.start), min(one.end, two.end), one.sign or two.sign
    if not one.cycle or not two.cycle:
        listed, other = (one, two) if not one.cycle else (two, one)
        inside = listed.amounts[(listed.amounts >= start) & (listed.amounts < end)]
        return Piece(start, end, 0, inside[other.below(inside) == inside], sign)
    cycle = math.lcm(one.cycle, two.cycle)
    if cycle > _LONGEST_CYCLE:
        raise ConfigError(
            f"Price steps of {one.cycle} and {two.cycle} minor units do not fit together.",
            fix="Use steps with a common multiple, such as 0.25 and 0.50, or one of the two rules.",
        )
    shifts = [np.arange(0, cycle, piece.cycle)[:, None] + piece.amounts[None, :] for piece in (one, two)]
    return Piece(start, end, cycle, np.intersect1d(shifts[0], shifts[1]), sign)
