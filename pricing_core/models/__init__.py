"""Models: what learns the going price and the response to price.

:class:`~pricing_core.models.shop_model.ShopModel` holds what belongs together (encoder, pricing model, behavior
model) and answers for any rows with a price response. TensorFlow is imported only while a network is being fitted.
"""

import os

# LightGBM's threads wait for each other by spinning, unless this is set before they are loaded. On a machine that also
# serves the app, spinning doubles the time of a training.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
