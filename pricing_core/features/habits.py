r"""Buying habits: how often a customer takes this very product when it is offered.

Counts grow with every week of a log, so that the same count means a habit early and little late. Rates do not: with
*b* purchases among *n* earlier offers of the product to the customer, and the rate *q* at which the customer buys in
its category,

.. math:: \ln \frac{b + k q}{(n + k)\, q}

is zero for a product like any other of its category, and *k* offers at the rate of the category keep chance out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.features.asof import PastSums, codes_of, to_seconds
from pricing_core.features.history import known_until, pair_codes
from pricing_core.features.joins import DAY

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MONTH_DAYS = 28
QUARTER_DAYS = 91
PRIOR_OFFERS = 5  # weight, in offers, of the customer's rate in the category
PRIOR_OFFERS_MONTH = 3
RATES = (
    "purchase rate of this product",
    "purchase rate of this product, 13 weeks",
    "purchase rate of this product, 4 weeks",
)


def product_habits(log: pd.DataFrame, offers: pd.DataFrame, category_rate: Floats, log_seconds: Ints) -> pd.DataFrame:
    """Tell from earlier offers how often this customer takes this product when it is offered.

    Parameters
    ----------
    log
        Earlier offers with ``customer_id, product_id, offered_at, purchased``.
    offers
        Offers to describe.
    category_rate
        Rate at which each offer's customer buys in its category (n,), in (0, 1].
    log_seconds
        Times of the shop's log: an offer that is priced after its end is described as of that end.

    Returns
    -------
    DataFrame
        ``log(1 + n)`` of earlier offers of the product to the customer, and the logarithms of three rates: of the
        whole past, of 13 and of 4 weeks. Only what happened strictly before an offer counts.
    """
    second, log_second = known_until(to_seconds(offers["offered_at"]), log_seconds), to_seconds(log["offered_at"])
    customers, products = pd.Index(log["customer_id"].unique()), pd.Index(log["product_id"].astype(str).unique())
    log_pair, pair = (
        pair_codes(
            codes_of(each["customer_id"], customers), codes_of(each["product_id"].astype(str), products), len(products)
        )
        for each in (log, offers)
    )
    counted = np.column_stack([np.ones(len(log)), log["purchased"].to_numpy(dtype=float)])
    seen = PastSums(log_pair, log_second, counted)
    ever = seen.before(pair, second)
    quarter, month = (seen.before(pair, second, within=days * DAY) for days in (QUARTER_DAYS, MONTH_DAYS))
    return pd.DataFrame(
        {
            "offers of this product": np.log1p(ever[:, 0]),
            RATES[0]: _relative(ever, category_rate, PRIOR_OFFERS),
            RATES[1]: _relative(quarter, category_rate, PRIOR_OFFERS),
            RATES[2]: _relative(month, category_rate, PRIOR_OFFERS_MONTH),
        },
        index=offers.index,
    )


def _relative(counts: Floats, rate: Floats, prior: float) -> Floats:
    """Logarithm of the shrunk rate of purchases (second column) among offers (first) over ``rate``, (n,)."""
    return np.asarray(np.log((counts[:, 1] + prior * rate) / ((counts[:, 0] + prior) * rate)))
