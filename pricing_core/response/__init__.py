"""Price response: how the chance of a purchase reacts to the price, whoever estimated it.

Everything after this room (optimizer, simulation, explanation, pages) is a function of a :class:`PriceResponse`; nothing there
knows which model produced it.
"""

from pricing_core.response.price_response import PriceResponse
from pricing_core.response.pricing_rows import PricingRows

__all__ = ["PriceResponse", "PricingRows"]
