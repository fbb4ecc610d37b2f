"""Designs side by side, with the same settings and the same log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from pricing_core.errors import ConfigError, DataError
from pricing_core.evaluate.test_design import DESIGNS, LONGEST, DesignConfig, DesignResult, design_test
from pricing_core.evaluate.variance import Measure


def compare_designs(
    sales: pd.DataFrame,
    config: DesignConfig,
    *,
    groups: pd.Series | None = None,
    group_sales: pd.DataFrame | None = None,
    promised_rate: float | None = None,
) -> dict[str, DesignResult | str]:
    """All designs with the same settings: the result of each, or the sentence that says why it cannot be done.

    Parameters
    ----------
    groups
        Group of each row of ``group_sales``.
    group_sales
        What the groups sold, where that was summed up apart; default: ``sales``.
    """
    found: dict[str, DesignResult | str] = {}
    of_groups = sales if group_sales is None else group_sales
    for design in DESIGNS:
        measure: Measure = config.measure if design == "customer" else "profit_per_offer"
        try:
            same = replace(config, design=design, measure=measure)
            sold = of_groups if same.by_label else sales
            found[design] = design_test(sold, same, groups=groups, promised_rate=promised_rate)
        except (ConfigError, DataError) as error:
            found[design] = str(error)
    return found


def quickest(found: Mapping[str, DesignResult | str]) -> str | None:
    """Design that sees the promise first, else the one that sees the smallest change in the planned time; None if none.

    Ties go to the first in the order of :data:`DESIGNS`.
    """
    able = {name: each for name, each in found.items() if not isinstance(each, str)}
    if not able:
        return None
    return min(able, key=lambda name: (able[name].weeks_needed or LONGEST + 1, able[name].detectable_rate))
