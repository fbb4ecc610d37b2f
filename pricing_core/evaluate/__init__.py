"""Is the model right: metrics, calibration, and the value of prices that were never tried.

Three questions, three modules. :mod:`~pricing_core.evaluate.metrics` asks whether predicted purchase probabilities
match what happened. :mod:`~pricing_core.evaluate.calibration` asks whether they hold at every level and in every price
band: a model can rank customers well and still misjudge their reaction to price. And
:mod:`~pricing_core.evaluate.policy_value` asks what other prices would have earned, from past offers alone.

Then, did it work. :mod:`~pricing_core.evaluate.test_design` says what a price test can see,
:mod:`~pricing_core.evaluate.assignment` who gets which prices, and :mod:`~pricing_core.evaluate.readout` what came out;
:mod:`~pricing_core.evaluate.backtest` judges past weeks, and :mod:`~pricing_core.evaluate.ledger` what a price list
promised. All of them start from :mod:`~pricing_core.evaluate.sales`, what each past offer earned.
"""
