"""Families of demand models that challenge the deep behavior model, each over two customer folds.

:mod:`~pricing_core.models.families.folded` turns a learner of demand curves into a calibrated model with posterior
draws; every other module holds one learner.
"""
