"""Who tells the going price better: boosted trees or a network, judged on customers that neither had seen.

Beside them stands the price level alone, and the trees without the supply–demand pressure, which shows that feature's
part. All are fitted to and judged on the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.features.batch import EncodedBatch
from pricing_core.models.pricing_trees import Crossfit, TreeSettings, crossfit_trees

if TYPE_CHECKING:
    import lightgbm as lgb

    from pricing_core.models.pricing_network import PricingNetwork

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]
Texts = NDArray[np.object_]

PRESSURE: Final = "supply–demand pressure"
TREES: Final = "trees"
NETWORK: Final = "network"
CLEAR_GAIN: Final = 0.02
"""Share of the trees' error that the network must save, beyond two standard errors, before it sets the going price."""


@dataclass(frozen=True)
class GoingPriceRows:
    """Rows of one training: log of price over base price, weight, fold of the customer, and category, each (n,)."""

    level: Floats
    weight: Floats
    fold: Ints
    category: Texts

    def take(self, rows: Ints) -> GoingPriceRows:
        """Rows by index."""
        return GoingPriceRows(self.level[rows], self.weight[rows], self.fold[rows], self.category[rows])


@dataclass(frozen=True)
class Challenge:
    """Outcome of a comparison.

    Attributes
    ----------
    network
        The fitted network where it is to set the going price; None where the trees do.
    prediction
        Cross-fitted log of the going price over the base price of each row, by the better one (n,).
    figures
        JSON-able: ``chosen``, ``reason``, ``n``, ``errors`` (mean distance of price and going price as a share of the
        going price: ``level``, ``trees``, ``network``, ``without_pressure``), ``gain`` and ``gain_se`` (trees' error
        minus the network's), ``pressure_share`` (of the trees' gain; None where the data have no pressure), and
        ``by_category``: ``category, n`` and the errors, one list each.
    """

    network: PricingNetwork | None
    prediction: Floats
    figures: dict[str, Any]


def challenge(
    booster: lgb.Booster,
    batch: EncodedBatch,
    matrix: Floats32,
    rows: GoingPriceRows,
    crossfitted: Crossfit,
    settings: TreeSettings,
    max_rows: int,
) -> Challenge:
    """Compare network and trees on at most ``max_rows`` rows.

    Parameters
    ----------
    booster, crossfitted
        The trees as fitted to all rows, and their cross-fitted prediction.
    batch, matrix
        Encoded rows, and what the trees read of them.
    """
    from pricing_core.models.pricing_network import PricingNetwork, PricingNetworkConfig

    rng = np.random.default_rng([settings.random_state, 11])
    pick = np.sort(rng.permutation(batch.n)[:max_rows])
    part, seen, judged = batch.take(pick), matrix[pick], rows.take(pick)
    same = replace(settings, n_trees=crossfitted.n_trees)
    config = PricingNetworkConfig(max_rows=max_rows, random_state=settings.random_state)
    network = PricingNetwork(config).fit(part, judged.level, judged.weight, judged.fold)
    guesses: dict[str, Floats] = {
        "level": np.zeros(len(pick)),
        TREES: crossfit_trees(seen, judged.level, judged.weight, judged.fold, same).prediction,
        NETWORK: network.crossfitted_,
    }
    columns = pressure_columns(batch, matrix)
    share = None
    if columns:
        bare = np.delete(seen, columns, axis=1)
        guesses["without_pressure"] = crossfit_trees(bare, judged.level, judged.weight, judged.fold, same).prediction
        share = gain_share(booster, columns)
    misses = {name: np.abs(np.expm1(judged.level - guess)) for name, guess in guesses.items()}
    figures = _figures(misses, judged)
    figures["pressure_share"] = share
    if figures["chosen"] == NETWORK:
        return Challenge(network, network.crossfit(batch, rows.fold), figures)
    return Challenge(None, crossfitted.prediction, figures)


def pressure_columns(batch: EncodedBatch, matrix: Floats32) -> list[int]:
    """Columns of the supply–demand pressure in what the trees read; none where the data do not know it."""
    columns = batch.columns_of(("product", "market")).get(PRESSURE, [])
    return columns if any(np.ptp(matrix[:, column]) > 0 for column in columns) else []


def gain_share(booster: lgb.Booster, columns: list[int]) -> float:
    """Share of the error that all splits of the trees take away which splits on these columns take away."""
    gain = np.asarray(booster.feature_importance("gain"), dtype=float)
    return float(gain[columns].sum() / gain.sum()) if gain.sum() > 0 else 0.0


def _figures(misses: dict[str, Floats], rows: GoingPriceRows) -> dict[str, Any]:
    weight = rows.weight
    errors = {name: float(np.average(miss, weights=weight)) for name, miss in misses.items()}
    difference = misses[TREES] - misses[NETWORK]
    gain = float(np.average(difference, weights=weight))
    se = float(np.sqrt(np.sum(weight**2 * (difference - gain) ** 2)) / weight.sum())
    wins = gain > 2 * se and gain > CLEAR_GAIN * errors[TREES]
    names, code = np.unique(rows.category.astype(str), return_inverse=True)
    size = np.bincount(code, weights=weight)
    by_category: dict[str, list[Any]] = {"category": [str(name) for name in names], "n": np.bincount(code).tolist()}
    for name, miss in misses.items():
        by_category[name] = (np.bincount(code, weights=weight * miss) / size).tolist()
    return {
        "chosen": NETWORK if wins else TREES,
        "reason": _reason(errors, gain, se, wins),
        "n": len(weight),
        "errors": errors,
        "gain": gain,
        "gain_se": se,
        "by_category": by_category,
    }


def _reason(errors: dict[str, float], gain: float, se: float, wins: bool) -> str:
    trees, network = f"{errors[TREES]:.2%}", f"{errors[NETWORK]:.2%}"
    if wins:
        return (
            f"The network sets the going price: on customers not seen it is off by {network} on average, the boosted "
            f"trees by {trees}."
        )
    if gain > 2 * se:
        return (
            f"The boosted trees set the going price: the network is off by {network} on average and the trees by "
            f"{trees}, too small a gain (below {CLEAR_GAIN:.0%} of the error) to give up trees whose every step can be "
            "explained."
        )
    if gain > 0:
        return (
            f"The boosted trees set the going price: they are off by {trees} on average on customers not seen and the "
            f"network by {network}, a difference that may be chance."
        )
    return (
        f"The boosted trees set the going price: on customers not seen they are off by {trees} on average, the network "
        f"by {network}."
    )
