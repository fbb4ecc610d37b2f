"""Price response: what a demand model knows about *n* offers, apart from the price that is still to be set.

>>> import numpy as np
>>> from pricing_core.response import PriceResponse
>>> demand = PriceResponse(
...     reference_price=np.array([10.0]), intercept=np.array([[4.0, 4.4]]), sensitivity=np.array([[5.0, 5.4]])
... )
>>> demand.probability(np.array([[8.0, 10.0, 12.0]])).round(3)
array([[0.51 , 0.269, 0.115]])

Demand curves, elasticities, best prices and simulations are functions of this object; none of them knows which
learner produced it.
"""

from pricing_core.response.price_response import PriceResponse
from pricing_core.response.pricing_rows import PricingRows

__all__ = ["PriceResponse", "PricingRows"]
