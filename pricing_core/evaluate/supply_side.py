r"""How strongly buyers must react for the seller's own price level to be sensible.

Where something unseen raised prices and demand together, the measured reaction is too weak, and the data cannot say by
how much. What is known besides is how the seller priced. If no common factor on the usual prices would pay, then

.. math:: \frac{d}{dk} \sum_i w_i \, (k u_i - c_i) \, P_i(k u_i) = 0 \quad \text{at } k = 1

with usual price *u* and unit cost *c*. Curves that are turned about the usual price keep their conversion there, so
that the condition is linear in the shift γ of the price sensitivities and gives it in closed form:

.. math:: \gamma = \frac{\sum_i w_i u_i \left( P_i - m_i \, \overline{\beta P (1 - P)}_i \right)}
                        {\sum_i w_i u_i m_i \, \overline{P (1 - P)}_i}, \qquad m_i = \frac{u_i - c_i}{r_i}

Bars are means over draws, *r* is the reference price. Demand estimation has long used the seller's own optimum
where cost shifters are missing: Berry, Levinsohn & Pakes, "Automobile Prices in Market Equilibrium" (1995);
MacKay & Miller, "Estimating Models of Supply and Demand: Instruments and Covariance Restrictions".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.response.price_response import PriceResponse

Floats = NDArray[np.float64]


def supply_side_shift(response: PriceResponse, usual: Floats, unit_cost: Floats, weight: Floats) -> float:
    """Shift γ of all price sensitivities, per unit of relative price, at which a common change of prices does not pay.

    Parameters
    ----------
    response
        Measured price response of n offers.
    usual
        Usual price of each offer (n,), money.
    unit_cost, weight
        (n,), money and weight.

    Returns
    -------
    float
        Above zero where buyers must react more strongly than measured; NaN where the usual prices earn nothing over
        their costs, so that no reaction would explain them.
    """
    if not (len(usual) == len(unit_cost) == len(weight) == response.n):
        raise DataError(f"There are {len(usual)} prices and {len(unit_cost)} costs for {response.n} curves.")
    chance = response.probability_draws(usual)
    steep = chance * (1 - chance)
    margin, mass = (usual - unit_cost) / response.reference_price, weight * usual
    falls = margin * (response.sensitivity * steep).mean(axis=1)
    bends = float(np.sum(mass * margin * steep.mean(axis=1)))
    if not bends > 0:
        return float("nan")
    return float(np.sum(mass * (chance.mean(axis=1) - falls))) / bends
