"""Judge settings by cross-validation: each fold's model sees neither later weeks nor the customers it is judged on.

Features and the going price are computed once and serve every trial. Features are as of each offer, and encoded as the
weeks before any window were; the going price sees no outcome, and is cross-fitted over customers. What a trial learns
of outcomes it learns from its fold's earlier weeks alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.columns import ColumnUse, classify_columns
from pricing_core.data.dataset import Dataset
from pricing_core.features import FeatureEncoder, build_features
from pricing_core.models import training
from pricing_core.models.demand_model import DemandModel, family
from pricing_core.models.folds import customer_labels
from pricing_core.models.held_out import table_rows
from pricing_core.models.learning_rows import LearningRows
from pricing_core.models.pricing_model import GoingPrice, PricingConfig, PricingModel
from pricing_core.models.search import LAST_STEP
from pricing_core.models.shop_model import EncodedOffers, ShopModel
from pricing_core.models.time_folds import FoldPlan, TimeFold, customer_group, time_folds
from pricing_core.models.training import TrainingConfig
from pricing_core.progress import Progress, SilentProgress, SubProgress

Floats = NDArray[np.float64]
Report = Callable[[int, float], None]

_SMALLEST = 1e-7
_PARTS = 10_000
_OTHER_DRAW = 7_919  # the draw of the customers says nothing of the fold that they are in


@dataclass(frozen=True)
class PriceErrors:
    """Absolute errors of judged offers as shares of the logged price, all of shape (n,).

    Attributes
    ----------
    error, usual
        By the pricing model, and by the product's usual price alone.
    weight, customers
        Weight and number of the customer of each offer.
    """

    error: Floats
    usual: Floats
    weight: Floats
    customers: NDArray[np.int64]


@dataclass(frozen=True)
class TuningData:
    """Everything that all trials share.

    Attributes
    ----------
    config
        Settings of the training that the trials vary.
    dataset, uses, encoder, pricing, encoded, rows
        Data, and what was computed of them once.
    customers
        Number of each row's customer (n,).
    product_prices
        Lowest and highest price at which each product was offered.
    folds
        Rows of each fold.
    """

    config: TrainingConfig
    dataset: Dataset
    uses: list[ColumnUse]
    encoder: FeatureEncoder
    pricing: PricingModel
    encoded: EncodedOffers
    rows: LearningRows
    customers: NDArray[np.int64]
    product_prices: dict[str, list[float]]
    folds: list[TimeFold]

    def shop_model(self, behavior: DemandModel) -> ShopModel:
        """Return a trial's model together with what all trials share."""
        return ShopModel(self.encoder, self.pricing, behavior, self.uses, {}, self.config.coverage, self.product_prices)

    def encoded_at(self, index: NDArray[np.int64]) -> EncodedOffers:
        """Encoded offers of some rows."""
        going = GoingPrice(*(getattr(self.encoded.going, n)[index] for n in ("reference", "expected", "spread")))
        return EncodedOffers(table_rows(self.encoded.table, index), self.rows.batch.take(index), going)


def prepare(
    dataset: Dataset, config: TrainingConfig, plan: FoldPlan | None = None, progress: Progress | None = None
) -> TuningData:
    """Compute what all trials share.

    Parameters
    ----------
    config
        ``max_rows`` says how many offers the trials use, at most half of them purchases: where the log has more, those
        of some customers only, and of their refusals a sample that stands for all.
    plan
        How to divide the offers; the windows are made of weeks, or of moments where there are too few weeks.

    Raises
    ------
    DataError
        If there are too few offers, purchases, weeks or customers.
    """
    progress = progress or SilentProgress()
    plan = plan or FoldPlan(random_state=config.seed)
    training.check_enough(dataset.offers)
    offers, weight, _ = training.sample_offers(_of_some_customers(dataset.offers, config), config)
    progress.stage("Preparing", 0.0, f"Computing what was known before each of {len(offers):,} offers")
    uses = classify_columns(dataset)
    table = build_features(dataset, offers, uses=uses)
    label = customer_labels(offers["customer_id"], dataset.offers)
    folds = time_folds(_periods(offers["offered_at"], plan), label, plan)
    # Scales and codes are those of the weeks before any window: later ones would tell of outcomes to be judged.
    start = offers["offered_at"].iloc[np.concatenate([folds[0].judge, folds[0].stop])].min()
    early = np.flatnonzero((offers["offered_at"] < start).to_numpy())
    encoder = FeatureEncoder(sequence_length=config.recent_events).fit(table_rows(table, early))
    batch = encoder.transform(table)
    progress.stage("Preparing", 0.6, "Learning the going price and the shop's pricing habit")
    pricing, rows = training.learn_prices(config, dataset, table, batch, weight, challenge=False)[:2]
    customers = pd.factorize(rows.customer_id, sort=True)[0].astype(np.int64)
    encoded = EncodedOffers(table, rows.batch, pricing.train_going_)
    prices = training.offered_prices(dataset.offers)
    return TuningData(config, dataset, uses, encoder, pricing, encoded, rows, customers, prices, folds)


def _periods(offered_at: pd.Series, plan: FoldPlan) -> NDArray[np.int64]:
    """Week of each offer, or the moment where there are too few weeks, (n,)."""
    week = ((offered_at - offered_at.min()) // pd.Timedelta(days=7)).to_numpy(dtype=np.int64)
    if len(np.unique(week)) >= 2 * plan.n_folds + 2:
        return np.asarray(week)
    return np.asarray(offered_at.dt.as_unit("us").astype("int64"))


def candidate(name: str, settings: dict[str, Any], config: TrainingConfig) -> DemandModel:
    """Return a model of a family that has learned nothing yet, with some settings in place of the defaults."""
    return cast(DemandModel, family(name).new(settings, random_state=config.seed, quick=config.quick))


def fitted_folds(
    data: TuningData, name: str, settings: dict[str, Any], report: Report, progress: Progress | None = None
) -> Iterator[tuple[TimeFold, DemandModel]]:
    """Fit a trial's model on each fold in turn.

    ``report`` gets the log loss on the fold's later weeks as a share of that of a constant forecast, averaged over the
    folds so far, at steps that mean the same in every trial; it may raise to end the trial.
    """
    progress = progress or SilentProgress()
    width = max(LAST_STEP // len(data.folds), 1)
    earlier = 0.0
    for k, fold in enumerate(data.folds):
        learn, stop = data.rows.take(fold.learn), data.rows.take(fold.stop)
        part = SubProgress(progress, k / len(data.folds), (k + 1) / len(data.folds))
        part.stage("Tuning", 0.0, f"window {k + 1} of {len(data.folds)}")
        watch = _Watch(part, report, base_loss(learn, stop), k * width, width, earlier, k + 1)
        model = candidate(name, settings, data.config).choose_epochs(learn, stop, watch)
        earlier += watch.best
        yield fold, model
        _forget()


def _of_some_customers(offers: pd.DataFrame, config: TrainingConfig) -> pd.DataFrame:
    """Offers of as many customers, drawn by the seed, as have about half as many purchases as rows are wanted."""
    share = config.row_limit / 2 / max(int((offers["purchased"] == 1).sum()), 1)
    if share >= 1:
        return offers
    label = customer_labels(offers["customer_id"], offers)
    drawn = customer_group(label, _PARTS, config.seed + _OTHER_DRAW) < round(share * _PARTS)
    return offers[drawn].reset_index(drop=True)


def base_loss(learn: LearningRows, later: LearningRows) -> float:
    """Log loss on later rows of a forecast that gives every row the earlier conversion rate."""
    rate = float(np.clip(np.average(learn.y, weights=learn.weight), _SMALLEST, 1 - _SMALLEST))
    observed = float(np.average(later.y, weights=later.weight))
    return float(-observed * np.log(rate) - (1 - observed) * np.log(1 - rate))


def price_errors(
    data: TuningData, settings: dict[str, Any], report: Report, progress: Progress | None = None
) -> PriceErrors:
    """How far the pricing model's expected price is from later prices of customers whom it does not know."""
    progress = progress or SilentProgress()
    errors, usual, weights = [], [], []
    base = PricingConfig(**{**_pricing_settings(data.config), **settings})
    table, batch = data.encoded.table, data.rows.batch
    price = table.offers["price"].to_numpy(dtype=float)
    for k, fold in enumerate(data.folds):
        progress.stage("Tuning", k / len(data.folds), f"window {k + 1} of {len(data.folds)}")
        customers = np.unique(data.customers[fold.learn], return_inverse=True)[1].astype(np.int64)
        learn, at = fold.learn, fold.judge
        model = PricingModel(base).fit(
            batch.take(learn), table.base_price[learn], price[learn], customers, data.rows.weight[learn]
        )
        going = model.predict(batch.take(at), table.base_price[at])
        errors.append(np.abs(going.reference * going.expected / price[at] - 1))
        usual.append(np.abs(table.base_price[at] / price[at] - 1))
        weights.append(data.rows.weight[at])
        so_far = np.average(np.concatenate(errors), weights=np.concatenate(weights))
        report((k + 1) * (LAST_STEP // len(data.folds)), float(so_far))
    judged = data.customers[np.concatenate([fold.judge for fold in data.folds])]
    return PriceErrors(np.concatenate(errors), np.concatenate(usual), np.concatenate(weights), judged)


def _pricing_settings(config: TrainingConfig) -> dict[str, Any]:
    shown = config.pricing()
    return {name: getattr(shown, name) for name in shown.__dataclass_fields__}


class _Watch:
    """Passes progress on, and turns a model's validation losses into the reports of its trial."""

    def __init__(
        self, parent: Progress, report: Report, base: float, first: int, width: int, earlier: float, folds: int
    ) -> None:
        self._parent, self._report, self._base = parent, report, base
        self._first, self._width, self._earlier, self._folds = first, width, earlier, folds
        self._seen = 0
        self.best = 1.0

    def stage(self, name: str, fraction: float, message: str = "") -> None:
        """Pass on."""
        self._parent.stage(name, fraction, message)

    def metric(self, name: str, step: int, value: float) -> None:
        """Report a validation loss; other curves are not shown."""
        if name != "validation loss" or not np.isfinite(value):
            return
        self._seen += 1
        share = value / self._base
        self.best = share if self._seen == 1 else min(self.best, share)
        if self._seen <= self._width:
            self._report(self._first + self._seen, (self._earlier + share) / self._folds)


def _forget() -> None:
    """Free the graphs of networks that are no longer needed."""
    import sys

    if "keras" in sys.modules:
        import keras

        keras.utils.clear_session()
