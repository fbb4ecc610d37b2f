"""Is the model right: metrics, calibration, and the value of prices that were never tried.

Three questions, three modules. :mod:`~pricing_core.evaluate.metrics` asks whether predicted purchase probabilities
match what happened. :mod:`~pricing_core.evaluate.calibration` asks whether they hold at every level and in every price
band: a model can rank customers well and still misjudge their reaction to price. And
:mod:`~pricing_core.evaluate.policy_value` asks what other prices would have earned, from past offers alone.
"""
