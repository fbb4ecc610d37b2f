"""Features: what was known about customer, product and market just before an offer was made.

Every number here is *as of* the offer's time: computed from rows with a strictly earlier time stamp, so
that a model learns from nothing that it will not have when it sets a price. ``build_features`` turns
offers into a :class:`FeatureTable` (readable values), a fitted :class:`FeatureEncoder` turns that into an
:class:`EncodedBatch` (what the learners eat).
"""

from pricing_core.features.batch import EncodedBatch
from pricing_core.features.builder import FeatureTable, build_features
from pricing_core.features.encoder import FeatureEncoder

__all__ = ["EncodedBatch", "FeatureEncoder", "FeatureTable", "build_features"]
