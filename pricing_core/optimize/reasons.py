"""Status of a recommendation and its reason in plain words."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.optimize.settings import PERSONAL
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]

PRICE_ENDING: Final = "price ending"
_FEW_ROWS: Final = 5  # a product with fewer is compared with all rows
_NOTABLE: Final = 0.10  # difference in elasticity that is worth a word


def statuses(price: Floats, current: Floats, held: Mask, half_unit: float) -> Texts:
    """Return ``raise``, ``cut``, ``keep`` or ``hold`` for each row; smaller changes than half a minor unit are none."""
    change = price - current
    out = np.where(change > half_unit, "raise", np.where(change < -half_unit, "cut", "keep")).astype(object)
    out[held] = "hold"
    return out


def reason_texts(
    strategy: str,
    rows: PricingRows,
    price: Floats,
    status: Texts,
    binding: Texts,
    conflict: Texts,
    why: str | Texts,
    digits: int,
) -> Texts:
    """Write a reason for each row, such as ``cut from 12.99 to 11.49: price-sensitive for this product``.

    Parameters
    ----------
    why
        Cause in a few words, one for all or one for each row; not used where prices follow a row's own sensitivity.
    """
    causes = sensitivity_words(rows) if strategy in PERSONAL else np.full(rows.n, why, dtype=object)
    out = np.empty(rows.n, dtype=object)
    each = zip(rows.current_price, price, status, binding, conflict, causes, strict=True)
    for i, (current, new, state, rule, clash, cause) in enumerate(each):
        if state == "hold":
            out[i] = f"held at {current:.{digits}f}: {clash}"
            continue
        stop = "" if not rule else "; moved to a price ending" if rule == PRICE_ENDING else f"; stopped by the {rule}"
        if state == "keep":
            out[i] = f"kept at {current:.{digits}f}: {cause}{stop}"
        else:
            verb = "raised" if state == "raise" else "cut"
            out[i] = f"{verb} from {current:.{digits}f} to {new:.{digits}f}: {cause}{stop}"
    return out


def sensitivity_words(rows: PricingRows) -> Texts:
    """Say how sensitive each row is to price, compared with its product's other rows (all rows if those are few)."""
    elasticity = pd.Series(rows.response.elasticity(rows.current_price))
    product = pd.Series(rows.product_id)
    own = elasticity.groupby(product).transform("median").to_numpy()
    count = product.groupby(product).transform("size").to_numpy()
    few = count < _FEW_ROWS
    usual = np.where(few, elasticity.median(), own)
    ratio = elasticity.to_numpy() / usual
    place = np.where(few, "for this shop", "for this product")
    word = np.where(
        ratio > 1 + _NOTABLE,
        "price-sensitive",
        np.where(ratio < 1 - _NOTABLE, "little price-sensitive", "usual price sensitivity"),
    )
    return np.array([f"{w} {p}" for w, p in zip(word, place, strict=True)], dtype=object)
