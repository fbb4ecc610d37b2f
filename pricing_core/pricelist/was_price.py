"""The "was" price that an export shows beside a lowered one: a true one, or none."""

from __future__ import annotations

import numpy as np
import pandas as pd

COLUMN = "was_price"


def was_price(frame: pd.DataFrame) -> pd.Series:
    """Price that may be shown struck through beside the new one; missing where there is none.

    It is the price of the column ``was_price`` where the list has one, else the lowest price of the last thirty days;
    and only where it is above the new price and not above that lowest price (Directive 98/6/EC, Article 6a): a higher
    one would announce a reduction that is none.
    """
    prior = frame["prior_price_30d"].astype(float)
    claimed = frame[COLUMN].astype(float) if COLUMN in frame.columns else prior
    new = frame["new_price"].astype(float)
    return claimed.where(np.isfinite(prior) & (claimed <= prior * (1 + 1e-9)) & (claimed > new))
