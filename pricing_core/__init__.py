"""Personalized-pricing workbench: the core, without a browser.

The public API on one page:

>>> from pricing_core.store.workspace import Workspace            # doctest: +SKIP
>>> from pricing_core import workflows                            # doctest: +SKIP
>>> ws = Workspace.open("my_workspace")                           # doctest: +SKIP
>>> workflows.import_sample(ws, "demo_shop")                      # doctest: +SKIP
>>> workflows.train(ws, config=workflows.TrainingConfig(quick=True))     # doctest: +SKIP
>>> workflows.simulate(ws, ["status_quo", "personalized_discount"]).table  # doctest: +SKIP
>>> workflows.price(ws, "personalized_discount").frame            # doctest: +SKIP

Every verb is in :mod:`pricing_core.workflows`; the rooms below it (``data``, ``features``, ``models``, ``response``,
``guardrails``, ``optimize``, ``simulate``, ``evaluate``, ``explain``, ``pricelist``, ``store``, ``jobs``) can be used
on their own. Importing this package imports none of them, so that a page or a command pays only for what it uses.
"""

__version__ = "0.1.0"
