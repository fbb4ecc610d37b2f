"""Models: what learns the going price and the response to price.

:class:`~pricing_core.models.shop_model.ShopModel` holds what belongs together (encoder, pricing model, behavior
model) and answers for any rows with a price response. TensorFlow is imported only while a network is being fitted.
"""
