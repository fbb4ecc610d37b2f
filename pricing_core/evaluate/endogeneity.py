r"""How large an unseen demand shock would have to be to change the decision.

Suppose that something unseen raised the log odds of a purchase with standard deviation *s* and explained a share
:math:`R^2_p` of the price variation by which the response was measured. Then the measured sensitivity is off by
:math:`\gamma = s \, r / \sigma_x` (see :mod:`pricing_core.models.identification`), and the curve that is true passes
through the same conversion at the usual price with the sensitivity :math:`\beta + \gamma` (where prices followed the
shock, as sellers' prices mostly do) or :math:`\beta - \gamma`. Profit is counted along such curves, for shocks of equal
share in price and demand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.models.identification import slope_shift
from pricing_core.response.price_response import PriceResponse
from pricing_core.response.pricing_rows import PricingRows

Floats = NDArray[np.float64]

STRENGTHS: Final = (0.0, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
FOLLOWED: Final = "followed"
OPPOSED: Final = "opposed"
_LEAST_SHARE = 0.02  # of its measured sensitivity that every customer keeps


@dataclass(frozen=True)
class ShockSensitivity:
    """Profit per offer of each set of prices under unseen shocks.

    Attributes
    ----------
    table
        One row per direction and strength: ``direction`` (``followed``: prices rose with the unseen demand, so
        that customers react more than measured; ``opposed``: the other way), ``strength`` (share of the price
        variation and of demand that the shock explains), ``slope_shift`` and one column of money per set of prices.
    tipping
        Set of prices → the smallest strength, over both directions, at which it earns as much as the chosen prices;
        None where no strength up to the largest does.
    """

    table: pd.DataFrame
    tipping: dict[str, float | None]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"table": self.table.to_dict("list"), "tipping": self.tipping}


def shock_sensitivity(
    rows: PricingRows,
    prices: Mapping[str, Floats],
    usual: Floats,
    price_sd: float,
    *,
    chosen: str,
    strengths: tuple[float, ...] = STRENGTHS,
) -> ShockSensitivity:
    """Count the profit of sets of prices if an unseen shock had bent the measured response.

    Parameters
    ----------
    rows
        Offers with their measured response.
    prices
        Name → prices (n,) in money.
    usual
        Price that was to be expected of each offer (n,), money: there the measured conversion stands.
    price_sd
        Standard deviation of the relative price that no feature explains.
    chosen
        The set whose advantage is asked for.
    strengths
        Shares of price and demand to try, rising from 0, below 1.
    """
    if chosen not in prices:
        raise DataError(f"There are no prices called {chosen!r}.", fix=f"Choose one of {', '.join(prices)}.")
    found = []
    for direction, sign in ((FOLLOWED, 1.0), (OPPOSED, -1.0)):
        for strength in strengths:
            shift = float(slope_shift(strength, strength, price_sd))
            response = shifted_response(rows.response, usual / rows.response.reference_price, sign * shift)
            earned = {name: _profit(rows, response, price) for name, price in prices.items()}
            found.append({"direction": direction, "strength": strength, "slope_shift": sign * shift, **earned})
    table = pd.DataFrame(found)
    rivals = [name for name in prices if name != chosen]
    return ShockSensitivity(table, {name: _tipping(table, chosen, name) for name in rivals})


def shifted_response(response: PriceResponse, usual: Floats, shift: float) -> PriceResponse:
    """Turn the curves around their value at the relative price ``usual`` (n,): the sensitivity moves by ``shift``."""
    bent = np.maximum(response.sensitivity + shift, _LEAST_SHARE * response.sensitivity)
    moved = response.intercept + (bent - response.sensitivity) * usual[:, None]
    return replace(response, intercept=moved, sensitivity=bent)


def _profit(rows: PricingRows, response: PriceResponse, price: Floats) -> float:
    return float(np.average((price - rows.unit_cost) * response.probability(price), weights=rows.weight))


def _tipping(table: pd.DataFrame, chosen: str, rival: str) -> float | None:
    crossings = []
    for _, part in table.groupby("direction", sort=False):
        lead = (part[chosen] - part[rival]).to_numpy(dtype=float)
        strength = part["strength"].to_numpy(dtype=float)
        behind = np.flatnonzero(lead <= 0)
        if not len(behind):
            continue
        k = int(behind[0])
        if k == 0:
            crossings.append(0.0)
            continue
        share = lead[k - 1] / max(lead[k - 1] - lead[k], 1e-12)
        crossings.append(float(strength[k - 1] + share * (strength[k] - strength[k - 1])))
    return min(crossings) if crossings else None
