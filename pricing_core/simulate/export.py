"""A comparison as one table: every scenario's assumptions beside what each strategy earns under it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pricing_core.errors import DataError
from pricing_core.simulate.scenario import Scenario


def comparison_frame(scenarios: Sequence[tuple[str, Scenario, pd.DataFrame]]) -> pd.DataFrame:
    """One row per scenario and strategy.

    Parameters
    ----------
    scenarios
        Name, assumptions, and the table of strategies of each scenario; names are shown as given.

    Returns
    -------
    DataFrame
        ``scenario``, the assumptions (``assumed_…``; blank where not set), and the tables' columns.

    Raises
    ------
    DataError
        If there is no scenario.
    """
    if not scenarios:
        raise DataError("There is no scenario to export.", fix="Choose at least one.")
    parts = []
    for name, scenario, table in scenarios:
        settings = {key: value for key, value in scenario.to_dict().items() if key != "name"}
        categories = settings.pop("demand_by_category")
        settings["demand_by_category"] = "; ".join(f"{each} {rate:+.0%}" for each, rate in categories.items())
        before = {"scenario": name, **{f"assumed_{key}": value for key, value in settings.items()}}
        parts.append(table.reset_index(drop=True).assign(**before)[[*before, *table.columns]])
    return pd.concat([part.astype(object) for part in parts], ignore_index=True).infer_objects()
