"""Trained runs side by side: settings that differ, figures, and how their prices for the same offers move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.evaluate.price_moves import price_moves
from pricing_core.guardrails.rules import Guardrails
from pricing_core.models.demand_model import label_of
from pricing_core.optimize.strategies import price_strategy
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.objectives import chosen_objective
from pricing_core.workflows.pricing import rules_for
from pricing_core.workflows.run_words import NOTHING, settings_in_words
from pricing_core.workflows.runs import TrainedRun, load_run
from pricing_core.workflows.strategies import settings_for

MOST_RUNS: Final = 4
COMPARED_OFFERS: Final = 2_000
_FIGURES: Final = ("log_loss", "auc", "accuracy", "calibration_slope", "mean_prediction", "base_rate")


@dataclass(frozen=True)
class RunComparison:
    """Runs side by side.

    Attributes
    ----------
    run_ids
        The runs, the first being the one that the others are compared with.
    settings
        One row per setting that differs: ``setting``, and one column of text per run.
    figures
        One row per figure: ``figure``, and one column of numbers per run (NaN where a run does not have it).
    same_offers
        Whether all runs were judged on the same held-out offers; otherwise their figures do not compare exactly.
    prices
        One row per further run: ``run_id`` and the columns of :func:`~pricing_core.evaluate.price_moves.price_moves`
        between the first run's prices and its own, for the same offers; empty where prices were not asked for.
    """

    run_ids: tuple[str, ...]
    settings: pd.DataFrame
    figures: pd.DataFrame
    same_offers: bool
    prices: pd.DataFrame


def compare_runs(
    ws: Workspace,
    run_ids: Sequence[str],
    *,
    strategy: str | None = "personalized_discount",
    guardrails: Guardrails | None = None,
    most_offers: int = COMPARED_OFFERS,
) -> RunComparison:
    """Compare runs, and the prices that they recommend for the latest offers of the first one.

    Parameters
    ----------
    run_ids
        Two to four runs.
    strategy
        Strategy whose prices are compared; None: no prices, which takes no time.

    Raises
    ------
    ConfigError
        If fewer than two or more than four different runs are named.
    """
    named = tuple(dict.fromkeys(run_ids))
    if not 2 <= len(named) <= MOST_RUNS:
        raise ConfigError(f"{len(named)} runs are to be compared.", fix=f"Name 2 to {MOST_RUNS} different runs.")
    found = [load_run(ws, run_id) for run_id in named]
    prices = pd.DataFrame() if strategy is None else _prices(found, strategy, guardrails, most_offers)
    return RunComparison(named, _settings(found), _figures(found), _same_offers(found), prices)


def _settings(found: list[TrainedRun]) -> pd.DataFrame:
    """Settings that differ, as text; a run of an earlier version may lack one."""
    flat = {run.run_id: _flat(run.manifest) for run in found}
    names = list(dict.fromkeys(name for settings in flat.values() for name in settings))
    rows = [{"setting": name, **{key: flat[key].get(name, NOTHING) for key in flat}} for name in names]
    table = pd.DataFrame(rows, columns=["setting", *flat])
    return table[table[list(flat)].nunique(axis=1) > 1].reset_index(drop=True)


def _flat(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {
        "Kind of model": label_of(manifest.get("family")) or NOTHING,
        "Data": f"{manifest['data_name']} ({manifest['dataset_id']})",
        "Data until": str(manifest["log_to"])[:10],
        "Offers used": f"{manifest['counts']['rows_used']:,}",
        "Passes": str(manifest.get("epochs", NOTHING)),
        **settings_in_words(manifest),
    }


def _figures(found: list[TrainedRun]) -> pd.DataFrame:
    figures = {run.run_id: _figures_of(run) for run in found}
    names = list(dict.fromkeys(name for each in figures.values() for name in each))
    rows = [{"figure": name, **{key: each.get(name, np.nan) for key, each in figures.items()}} for name in names]
    return pd.DataFrame(rows, columns=["figure", *figures])


def _figures_of(run: TrainedRun) -> dict[str, float]:
    metrics = run.metrics
    figures = {name: float(metrics[name]) for name in _FIGURES if metrics.get(name) is not None}
    slope = metrics.get("price_band_slope")
    if slope is not None:
        figures["price_slope"] = float(slope[0]) if slope[0] is not None else np.nan
    for name, value in (metrics.get("policy_value") or {}).items():
        figures[f"policy_value: {name}"] = float(value["value"])
    figures["held_out_offers"] = float(metrics["held_out_offers"])
    figures["seconds"] = float(run.manifest["seconds"]["total"])
    figures["size_bytes"] = float(sum(path.stat().st_size for path in run.folder.iterdir() if path.is_file()))
    return figures


def _same_offers(found: list[TrainedRun]) -> bool:
    keys = {
        (run.manifest["data_hash"], run.metrics["held_out_from"], run.metrics["held_out_offers"]) for run in found
    }  # fmt: skip
    return len(keys) == 1


def _prices(found: list[TrainedRun], strategy: str, guardrails: Guardrails | None, most: int) -> pd.DataFrame:
    targets = found[0].targets.tail(most).reset_index(drop=True)
    priced = [_price(run, found[0], targets, strategy, guardrails) for run in found]
    return pd.DataFrame(
        [
            {"run_id": run.run_id, **price_moves(priced[0], other)}
            for run, other in zip(found[1:], priced[1:], strict=True)
        ]
    )


def _price(
    run: TrainedRun, first: TrainedRun, targets: pd.DataFrame, strategy: str, guardrails: Guardrails | None
) -> NDArray[np.float64]:
    rows = _rows(run, first, targets)
    settings = settings_for(run, [strategy])
    rules = rules_for(run, guardrails)
    return price_strategy(strategy, rows, rules, settings=settings, objective=chosen_objective(run.ws)).price


def _rows(run: TrainedRun, first: TrainedRun, targets: pd.DataFrame) -> PricingRows:
    """The offers as a run sees them: stored with it where they are its own, else asked anew."""
    if run.run_id == first.run_id or (run.dataset_id == first.dataset_id and run.targets.equals(first.targets)):
        return run.rows.take(np.arange(run.rows.n - len(targets), run.rows.n))
    return run.with_margin(run.model.rows(run.dataset, run.model.encode(run.dataset, targets)))
