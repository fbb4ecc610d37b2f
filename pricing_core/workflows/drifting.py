"""Do the newest data still look like those that a run learned from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pricing_core.errors import DataError
from pricing_core.evaluate.drift import drift_between, input_drift
from pricing_core.evaluate.sales import WEEK
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.runs import TrainedRun

RECENT_WEEKS = 4


@dataclass(frozen=True)
class DataDrift:
    """How the inputs of the models have moved.

    Attributes
    ----------
    table
        ``column, index, verdict, before, now, chance``; see :func:`~pricing_core.evaluate.drift.drift_between`.
    words
        Between what.
    earlier, later
        Offers on either side.
    unseen
        Whether the later ones are unknown to the run, so that training on them would teach something.
    """

    table: pd.DataFrame
    words: str
    earlier: int
    later: int
    unseen: bool

    @property
    def moved(self) -> int:
        """Number of inputs that moved a lot."""
        return int((self.table["verdict"] == "moved").sum())

    @property
    def sentence(self) -> str:
        """What a manager should take from it."""
        changed = int((self.table["verdict"] == "some change").sum())
        few = f"{self.later:,} offers" if self.later != 1 else "1 offer"
        if not self.moved:
            some = f"; {changed} changed somewhat" if changed else ""
            return f"The new data look like those the model learned from{some}." if self.unseen else (
                f"The latest weeks look like those before{some}."
            )
        first = str(self.table["column"].iloc[0]).split(": ")[-1].replace("_", " ")
        which = f"{self.moved} inputs have" if self.moved > 1 else "One input has"
        end = "train again on them" if self.unseen else "watch whether forecasts still hold"
        return f"{which} moved a lot in {few}, most of all {first}: {end}."


def data_drift(ws: Workspace, run: TrainedRun) -> DataDrift:
    """Compare the newest data set with what a run learned from.

    New are the offers after the run's log. Where there are none, the newest data set as a whole is compared if it is
    another one than the run's, and else its latest four weeks with the weeks before.

    Raises
    ------
    DataError
        If there is nothing to compare with.
    """
    newest_id = str(datasets.latest_dataset_id(ws))
    newest = datasets.load_dataset(ws, newest_id)
    times = newest.offers["offered_at"]
    log_to = pd.Timestamp(run.manifest["log_to"])
    is_new = (times > log_to).to_numpy()
    if newest_id != run.dataset_id:
        learned = run.dataset
        later = replace(newest, offers=newest.offers[is_new]) if is_new.any() else newest
        what = f"offers since {log_to:%Y-%m-%d}" if is_new.any() else f"the data {newest_id}"
        words = f"{what}, which the model has not seen, against the data {run.dataset_id} that it learned from"
        table = drift_between(learned, later)
        return DataDrift(table, words, len(learned.offers), len(later.offers), unseen=True)
    is_late = (times > times.max() - RECENT_WEEKS * WEEK).to_numpy()
    if is_late.all():
        raise DataError(
            f"All offers are from the latest {RECENT_WEEKS} weeks, so there are none before to compare with.",
            fix="Import a longer period.",
        )
    words = f"the latest {RECENT_WEEKS} weeks against the weeks before, all of which the model learned from"
    table = input_drift(newest, np.asarray(is_late))
    return DataDrift(table, words, int((~is_late).sum()), int(is_late.sum()), unseen=False)
