"""The rules a shop sets for its prices, as a validated configuration."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from pricing_core.errors import ConfigError, FileReadError

ROUNDINGS: Final = ("nearest", "down")


@dataclass(frozen=True)
class Guardrails:
    """Rules for every recommended price; None switches a rule off.

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
        self._check_endings()

    def _check_endings(self) -> None:
        if self.endings is None:
            return
        wanted = "Give at least one whole number from 0 to 99, such as [49, 99]."
        good = isinstance(self.endings, (list, tuple)) and len(self.endings) > 0
        good = good and all(type(e) is int and 0 <= e <= 99 for e in self.endings)
        _require(good, f"endings is {self.endings!r}.", wanted)
        object.__setattr__(self, "endings", tuple(sorted(set(self.endings))))

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
        allowed = [f.name for f in fields(cls)]
        unknown = sorted(set(inner) - set(allowed))
        if unknown:
            raise ConfigError(f"Unknown guardrail: {', '.join(unknown)}.", fix=f"Allowed are {', '.join(allowed)}.")
        return cls(**{name: _from_toml_value(value) for name, value in inner.items()})

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
        lines = [f"{each.name} = {_toml_value(getattr(self, each.name))}" for each in fields(self)]
        return "\n".join(lines) + "\n"

    def with_changes(self, **changes: Any) -> Guardrails:
        """Return a copy with some rules changed, validated again."""
        return replace(self, **changes)


def read_toml(source: Path | str, what: str) -> dict[str, Any]:
    """Parse a TOML file (``Path``) or TOML text (``str``); ``what`` names it in errors.

    Raises
    ------
    FileReadError
        If the file cannot be read or is not TOML.
    """
    name = source.name if isinstance(source, Path) else f"The {what} text"
    try:
        text = source.read_text(encoding="utf-8-sig") if isinstance(source, Path) else source
        return tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise FileReadError(f"{name} cannot be read: {error}.", fix=f"Give a TOML file of {what}.") from error
    except tomllib.TOMLDecodeError as error:
        raise FileReadError(f"{name} is not valid TOML: {error}.", fix='Write lines such as "name = 0.1".') from error


def _from_toml_value(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return None if value == "none" else value


def _toml_value(value: object) -> str:
    if value is None:
        return '"none"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(str(v) for v in value) + "]"
    return repr(value)


def _number(name: str, value: object, allowed: str, holds: Any) -> None:
    if value is None:
        return
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    _require(number and holds(value), f"{name} is {value!r}.", f"It must be {allowed}.")


def _require(good: bool, message: str, fix: str) -> None:
    if not good:
        raise ConfigError(message, fix=fix)


NO_GUARDRAILS: Final = Guardrails(margin_floor=None)
"""No rule at all; prices still stay among those that past data support."""
