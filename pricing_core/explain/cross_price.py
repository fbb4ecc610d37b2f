r"""Do the prices of other products in a category move the sales of one? Measured where the log can tell, else assumed.

*Measured*: where several products of a category were offered to one customer at the same visit, the model's log-odds of
a purchase at the price asked is taken as given, and the one coefficient :math:`\gamma` of

.. math:: \operatorname{logit} P = m + \gamma \, \ln(\bar p_{-} / \bar r_{-})

is fitted, with :math:`\bar p_{-} / \bar r_{-}` the mean relative price of the other offers. A buyer for whom they are
substitutes has :math:`\gamma > 0`. The cross-price elasticity of conversion is :math:`\gamma (1 - P)`.

*Assumed*: multinomial-logit buyers who choose at most one product of the category lose or gain in proportion to shares,
:math:`\beta_k x_k P_k` for the price of product *k*. It follows from the assumption, not from the log.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri, stdtrit

from pricing_core.errors import DataError
from pricing_core.response.pricing_rows import PricingRows

Floats = NDArray[np.float64]

_LEAST: Final = 200
_STEPS: Final = 25


@dataclass(frozen=True)
class CrossPrice:
    """Cross-price elasticity of one category: % of conversion per 1% of the other products' prices.

    ``low`` and ``high`` bound it; all categories together keep within theirs with 90% confidence (Bonferroni). NaN,
    as is ``elasticity``, where fewer than 200 offers came together with others of the category. ``assumed`` is what
    multinomial-logit choice implies for one other product; ``competitor`` is what the model learned of competitors'
    prices, if asked (:func:`with_competitor`).
    """

    category: str
    rows: int
    offers: int
    elasticity: float
    low: float
    high: float
    assumed: float
    competitor: float = math.nan
    competitor_low: float = math.nan
    competitor_high: float = math.nan

    @property
    def verdict(self) -> str:
        """What can be said: ``not measurable``, ``no effect seen``, ``substitutes`` or ``complements``."""
        if not math.isfinite(self.elasticity):
            return "not measurable"
        return "substitutes" if self.low > 0 else "complements" if self.high < 0 else "no effect seen"


def cross_prices(
    rows: PricingRows, purchased: Floats, visit: NDArray[np.object_], price: Floats | None = None
) -> list[CrossPrice]:
    """Measure cross-price effects within each category.

    Parameters
    ----------
    rows
        Offers with their price response; each is judged by the posterior draws that did not learn from its customer.
    purchased
        (n,) 0 or 1.
    visit
        (n,) text: offers with the same text were seen together.
    price
        (n,) price asked; default the rows' current price.

    Raises
    ------
    DataError
        If the arrays have another length than the rows.
    """
    price = rows.current_price if price is None else price
    if not len(purchased) == len(visit) == len(price) == rows.n:
        raise DataError(
            f"There are {rows.n} rows, {len(purchased)} outcomes, {len(visit)} visits, {len(price)} prices."
        )
    relative = price / rows.response.reference_price
    chance = _unseen_chance(rows, price)
    group = pd.Series(visit).astype(str) + "|" + pd.Series(rows.category).astype(str)
    table = pd.DataFrame({"x": relative, "group": group.to_numpy()})
    size = table.groupby("group")["x"].transform("size").to_numpy()
    total = table.groupby("group")["x"].transform("sum").to_numpy()
    others = np.where(size > 1, (total - relative) / np.maximum(size - 1, 1), np.nan)
    sensitivity = rows.response.sensitivity.mean(axis=1)
    found = []
    categories = np.unique(rows.category.astype(str))
    width = float(ndtri(1 - 0.05 / len(categories)))
    for category in categories:
        mine = rows.category.astype(str) == category
        together = mine & np.isfinite(others)
        assumed = float(np.average((sensitivity * relative * chance)[mine], weights=rows.weight[mine]))
        gamma, error = _slope(chance[together], np.log(others[together]), purchased[together])
        scale = float(1 - chance[together].mean()) if together.any() else math.nan
        half = width * error
        found.append(
            CrossPrice(
                category=category,
                rows=int(mine.sum()),
                offers=int(together.sum()),
                elasticity=gamma * scale,
                low=(gamma - half) * scale,
                high=(gamma + half) * scale,
                assumed=assumed,
            )
        )
    return found


def with_competitor(
    found: Sequence[CrossPrice], lower: PricingRows, higher: PricingRows, *, log_ratio: float
) -> list[CrossPrice]:
    r"""Add the elasticity by competitors' prices: the same offers under lower and higher ones, at the same own price.

    .. math:: (\ln \bar P_{\mathrm{high}} - \ln \bar P_{\mathrm{low}}) / \ln(k_{\mathrm{high}} / k_{\mathrm{low}})

    Parameters
    ----------
    found
        Categories, as measured so far.
    lower, higher
        The same rows as the models see them under both competitor prices.
    log_ratio
        ln(higher / lower competitor price), above zero.

    Raises
    ------
    DataError
        If the rows differ in number.
    """
    if lower.n != higher.n or not log_ratio > 0:
        raise DataError(f"There are {lower.n} and {higher.n} rows, and the log ratio is {log_ratio}.")
    price, category = lower.current_price, lower.category.astype(str)
    before, after = lower.response.probability_draws(price), higher.response.probability_draws(price)
    known = np.isfinite(lower.competitor_price)
    result = []
    for each in found:
        mine = known & (category == each.category)
        if not mine.any():
            result.append(each)
            continue
        weight = lower.weight[mine]
        draws = np.log(weight @ after[mine]) - np.log(weight @ before[mine])
        middle, half = float(draws.mean()), _half_range(draws, lower.response.draw_member)
        result.append(
            replace(
                each,
                competitor=middle / log_ratio,
                competitor_low=(middle - half) / log_ratio,
                competitor_high=(middle + half) / log_ratio,
            )
        )
    return result


def _half_range(draws: Floats, member: NDArray[np.int64]) -> float:
    freedom = len(np.unique(member)) - 1
    return float(stdtrit(freedom, 0.95) * draws.std(ddof=1)) if freedom > 0 else math.nan


def _unseen_chance(rows: PricingRows, price: Floats) -> Floats:
    """Chance of a purchase by the draws of the fold to which the row's customer does not belong."""
    chance = rows.response.probability_draws(price)
    fold = rows.response.draw_fold
    if len(np.unique(fold)) < 2:
        return np.asarray(chance.mean(axis=1))
    by_fold = np.column_stack([chance[:, fold == k].mean(axis=1) for k in (0, 1)])
    return np.asarray(by_fold[np.arange(rows.n), 1 - rows.customer_fold])


def _slope(chance: Floats, z: Floats, purchased: Floats) -> tuple[float, float]:
    """Coefficient of z and its standard error in a logistic regression with offset, beside an intercept."""
    if len(z) < _LEAST or float(np.std(z)) < 1e-4:
        return math.nan, math.nan
    offset = logit(np.clip(chance, 1e-6, 1 - 1e-6))
    design = np.column_stack([np.ones(len(z)), z - z.mean()])
    theta, curvature = np.zeros(2), np.eye(2)
    for _ in range(_STEPS):
        p = expit(offset + design @ theta)
        curvature = (design * (p * (1 - p))[:, None]).T @ design
        step = np.linalg.solve(curvature, design.T @ (purchased - p))
        theta = theta + step
        if np.abs(step).max() < 1e-9:
            break
    return float(theta[1]), float(np.sqrt(np.linalg.inv(curvature)[1, 1]))
