"""What people decided about the proposals of a price list: accept, hold today's price, or set another with a reason.

Decisions are kept beside the proposals, one row for each price that somebody has decided; the proposals never change.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pricing_core.errors import PriceListError
from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.pricelist.effects import EffectGrid
from pricing_core.pricelist.lifecycle import text
from pricing_core.trust.access import Actor

PROPOSED, ACCEPTED, HELD, OVERRIDDEN = "proposed", "accepted", "held", "overridden"
DECISIONS: Final = (PROPOSED, ACCEPTED, HELD, OVERRIDDEN)
LONGEST_REASON: Final = 500
LARGEST_PRICE: Final = 1e12
"""A price set by hand stays below it, in money: above, cents are no longer exact, and shops refuse the file."""
_SLACK: Final = 1e-6
_NAMED: Final = 5


def empty() -> pd.DataFrame:
    """No decisions: ``row, decision, price, reason, decided_by, decided_at``."""
    return pd.DataFrame(
        {
            "row": pd.Series(dtype="int64"),
            "decision": pd.Series(dtype="str"),
            "price": pd.Series(dtype="float64"),
            "reason": pd.Series(dtype="str"),
            "decided_by": pd.Series(dtype="str"),
            "decided_at": pd.Series(dtype="str"),
        }
    )


def changes(rows: ArrayLike, decision: str | Sequence[str], price: Any = np.nan, reason: Any = "") -> pd.DataFrame:
    """Changes to make: ``row, decision, price, reason``.

    Parameters
    ----------
    rows
        Positions of the prices in the list, from 0.
    decision
        One of :data:`DECISIONS`, for all rows or for each; ``proposed`` takes a decision back.
    price
        Price to charge where it is overridden.
    reason
        Why; required where it is overridden.
    """
    places = np.asarray(rows, dtype=np.int64).ravel()
    frame = pd.DataFrame({"row": places})
    return frame.assign(decision=decision, price=price, reason=reason).astype({"decision": "str", "reason": "str"})


def merged(
    decided: pd.DataFrame, change: pd.DataFrame, proposals: pd.DataFrame, *, actor: Actor, now: datetime
) -> pd.DataFrame:
    """Decisions after a change, ordered by row.

    Raises
    ------
    PriceListError
        If a change names a row that is not there or comes twice, an override lacks a reason or a chargeable price, or
        a price that is not known is to be held. The products are named; then nothing is changed.
    """
    checked = _checked(change, proposals)
    stamped = checked.assign(decided_by=actor.label, decided_at=text(now))
    kept = decided[~decided["row"].isin(checked["row"])]
    new = stamped[stamped["decision"] != PROPOSED]
    both = [part for part in (kept, new) if len(part)]
    if not both:
        return empty()
    return pd.concat(both)[list(empty().columns)].sort_values("row", ignore_index=True)


def applied(proposals: pd.DataFrame, decided: pd.DataFrame, effects: EffectGrid | None = None) -> pd.DataFrame:
    """Price list as decided: the native columns, then ``proposed_price, decision, decision_reason, decided_by``.

    What depends on the price follows it: change, margin, expected effect (read off ``effects``; unknown without them or
    outside of their prices) and the reason shown.
    """
    place = decided["row"].to_numpy(dtype=np.int64)
    price = decided_prices(proposals, decided)
    proposed = proposals["new_price"].to_numpy(dtype=float)
    frame = proposals.assign(
        proposed_price=proposed,
        decision=_texts(len(proposals), PROPOSED, place, decided["decision"]),
        decision_reason=_texts(len(proposals), "", place, decided["reason"]),
        decided_by=_texts(len(proposals), "", place, decided["decided_by"]),
    )
    moved = np.flatnonzero(np.abs(price - proposed) > _SLACK)
    by_hand = decided[decided["decision"].isin([HELD, OVERRIDDEN])]
    if by_hand.empty:
        return frame
    set_by_hand = (by_hand["decision"] == OVERRIDDEN).to_numpy(dtype=np.int64)
    words = pd.array(["Held at today's price by ", "Set by hand by "], dtype="str").take(set_by_hand)
    said = pd.Series(words, index=by_hand.index) + by_hand["decided_by"].astype("str")
    reason = by_hand["reason"].astype("str")
    said = said + (": " + reason).where(reason != "", "")
    shown = _laid_over(proposals["reason"].astype("str"), by_hand["row"].to_numpy(dtype=np.int64), said)
    return frame.assign(
        new_price=price, reason=shown, **_effects(proposals, price, moved, effects), **_rates(proposals, price)
    )  # fmt: skip


def decided_prices(proposals: pd.DataFrame, decided: pd.DataFrame) -> NDArray[np.float64]:
    """(n,) price of each row after the decisions, in money."""
    price = proposals["new_price"].to_numpy(dtype=float, copy=True)
    held = decided.loc[decided["decision"] == HELD, "row"].to_numpy(dtype=np.int64)
    price[held] = proposals["current_price"].to_numpy(dtype=float)[held]
    set_by_hand = decided[decided["decision"] == OVERRIDDEN]
    price[set_by_hand["row"].to_numpy(dtype=np.int64)] = set_by_hand["price"].to_numpy(dtype=float)
    return price


def transitions(
    proposals: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame, rows: NDArray[np.int64]
) -> pd.DataFrame:
    """From what to what some prices went, for the audit log.

    Returns
    -------
    DataFrame
        ``product_id, customer_id, from_decision, from_price, to_decision, to_price, reason``, one row for each of
        ``rows``.
    """
    part = proposals.iloc[rows]
    columns: dict[str, Any] = {
        "product_id": part["product_id"].to_numpy(dtype=object),
        "customer_id": np.array(_customers(part), dtype=object),
    }
    for end, decided in (("from", before), ("to", after)):
        known = decided.set_index("row")["decision"].reindex(rows)
        columns[f"{end}_decision"] = known.fillna(PROPOSED).to_numpy(dtype=object)
        columns[f"{end}_price"] = decided_prices(proposals, decided)[rows]
    columns["reason"] = after.set_index("row")["reason"].reindex(rows).fillna("").to_numpy(dtype=object)
    return pd.DataFrame(columns)


def counts(frame: pd.DataFrame) -> dict[str, int]:
    """How many prices of a list there are of each decision."""
    found = frame["decision"].value_counts()
    return {name: int(found.get(name, 0)) for name in DECISIONS}


def name_rows(proposals: pd.DataFrame, rows: Sequence[int] | NDArray[np.int64]) -> str:
    """The products (and customers) of some rows, shortened: ``tea, cup and 3 more``."""
    part = proposals.iloc[list(rows[:_NAMED])]
    names = [
        str(product) if pd.isna(customer) else f"{product} for {customer}"
        for product, customer in zip(part["product_id"], _customers(part), strict=True)
    ]
    more = len(rows) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")


def rows_of(proposals: pd.DataFrame, product_id: str, customer_id: str | None = None) -> NDArray[np.int64]:
    """Positions of a product's prices, or of its price for one customer.

    Raises
    ------
    PriceListError
        If the list has none.
    """
    hit = (proposals["product_id"].astype("str") == product_id).to_numpy(dtype=bool)
    if customer_id is not None:
        hit = hit & (proposals["customer_id"].astype("str") == customer_id).fillna(False).to_numpy(dtype=bool)
    found = np.flatnonzero(hit)
    if not len(found):
        who = "" if customer_id is None else f" for the customer {customer_id!r}"
        raise PriceListError(f"The list has no price of {product_id!r}{who}.", fix="Check the id, as the list has it.")
    return found


def _checked(change: pd.DataFrame, proposals: pd.DataFrame) -> pd.DataFrame:
    rows = change["row"].to_numpy(dtype=np.int64)
    outside = rows[(rows < 0) | (rows >= len(proposals))]
    if len(outside):
        raise PriceListError(f"The list has {len(proposals):,} prices, and row {outside[0] + 1} is asked for.")
    if len(np.unique(rows)) != len(rows):
        raise PriceListError("The same price is changed twice at once.", fix="Give one change for each price.")
    unknown = set(change["decision"]) - set(DECISIONS)
    if unknown:
        raise PriceListError(f"A decision is one of {', '.join(DECISIONS)}; received {min(unknown)!r}.")
    checked = change.assign(reason=change["reason"].fillna("").astype("str").str.strip())
    _check_texts(checked, proposals)
    _check_holds(checked, proposals)
    _check_prices(checked, proposals)
    return checked.assign(price=checked["price"].astype(float).where(checked["decision"] == OVERRIDDEN))


def _check_texts(change: pd.DataFrame, proposals: pd.DataFrame) -> None:
    bare = change.loc[(change["decision"] == OVERRIDDEN) & (change["reason"] == ""), "row"].to_numpy()
    if len(bare):
        raise PriceListError(
            f"An overridden price needs a reason: {name_rows(proposals, bare)}.", fix="Write why, and save again."
        )
    long = change.loc[change["reason"].str.len() > LONGEST_REASON, "row"].to_numpy()
    if len(long):
        raise PriceListError(f"A reason has at most {LONGEST_REASON} characters: {name_rows(proposals, long)}.")


def _check_holds(change: pd.DataFrame, proposals: pd.DataFrame) -> None:
    held = change.loc[change["decision"] == HELD, "row"].to_numpy()
    unknown = held[~np.isfinite(proposals["current_price"].to_numpy(dtype=float)[held])]
    if len(unknown):
        raise PriceListError(
            f"Today's price is not known and cannot be held: {name_rows(proposals, unknown)}.",
            fix="Accept the proposal or set a price.",
        )


def _check_prices(change: pd.DataFrame, proposals: pd.DataFrame) -> None:
    set_by_hand = change[change["decision"] == OVERRIDDEN]
    if set_by_hand.empty:
        return
    currency = str(proposals["currency"].iloc[0])
    digits = minor_unit_digits(currency)
    price = set_by_hand["price"].to_numpy(dtype=float)
    rows = set_by_hand["row"].to_numpy()
    wrong = rows[~(np.isfinite(price) & (price > 0))]
    if len(wrong):
        raise PriceListError(f"An overridden price is above zero: {name_rows(proposals, wrong)}.", fix="Set a price.")
    large = rows[price >= LARGEST_PRICE]
    if len(large):
        raise PriceListError(
            f"An overridden price is below {LARGEST_PRICE:,.0f} {currency}: {name_rows(proposals, large)}.",
            fix="Check the price for a slip.",
        )
    minor = price * 10.0**digits
    uneven = rows[np.abs(minor - np.round(minor)) > _SLACK * np.maximum(1.0, minor)]
    if len(uneven):
        raise PriceListError(
            f"A price in {currency} has at most {digits} decimals: {name_rows(proposals, uneven)}.",
            fix="Round the price.",
        )


def _texts(n: int, default: str, place: NDArray[np.int64], values: pd.Series) -> Any:
    """(n,) text that is ``default`` but for some places."""
    index = np.full(n, len(place), dtype=np.int64)
    index[place] = np.arange(len(place))
    return pd.concat([values.astype("str"), pd.Series([default], dtype="str")], ignore_index=True).array.take(index)


def _laid_over(texts: pd.Series, place: NDArray[np.int64], values: pd.Series) -> Any:
    """Texts with others in some places."""
    index = np.arange(len(texts))
    index[place] = len(texts) + np.arange(len(place))
    return pd.concat([texts, values.astype("str")], ignore_index=True).array.take(index)


def _rates(proposals: pd.DataFrame, price: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    current = proposals["current_price"].to_numpy(dtype=float)
    cost = proposals["unit_cost"].to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {"change_rate": price / current - 1, "margin_rate": 1 - cost / price}


def _effects(
    proposals: pd.DataFrame, price: NDArray[np.float64], moved: NDArray[np.int64], effects: EffectGrid | None
) -> dict[str, NDArray[np.float64]]:
    """Expected effect of the prices that are not the proposed ones; the others keep theirs."""
    found = None if effects is None else effects.at(moved, price[moved])
    columns = {}
    for name in ("expected_conversion_rate", "expected_profit", "profit_low", "profit_high"):
        values = proposals[name].to_numpy(dtype=float, copy=True)
        values[moved] = np.nan if found is None else found[name]
        columns[name] = values
    return columns


def _customers(part: pd.DataFrame) -> Sequence[Any]:
    return list(part["customer_id"]) if "customer_id" in part.columns else [None] * len(part)
