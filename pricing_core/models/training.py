"""Train a shop's models: sample, fit the pricing model, choose and refit the behavior model, keep what judges need."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.columns import ColumnUse, classify_columns
from pricing_core.data.dataset import Dataset
from pricing_core.errors import ConfigError
from pricing_core.features import EncodedBatch, FeatureEncoder, FeatureTable, build_features
from pricing_core.models.behavior import BehaviorConfig, LearningRows
from pricing_core.models.choice import (
    AUTO,
    FEW_OFFERS,
    Candidate,
    Verdict,
    candidate_families,
    checked_family,
    chosen_model,
    fit_candidates,
    refit,
    telling_rows,
)
from pricing_core.models.control import instrument_stage
from pricing_core.models.demand_model import NETWORK, DemandModel, family
from pricing_core.models.folds import customer_labels
from pricing_core.models.held_out import HeldOut, LaterOffers, judged
from pricing_core.models.held_out import table_rows as table_rows
from pricing_core.models.identification import identification
from pricing_core.models.learning_rows import MANY_ROWS
from pricing_core.models.monotone_trees import MonotoneTreesConfig
from pricing_core.models.past_offers import past_offers
from pricing_core.models.pricing_model import PricingConfig, PricingModel
from pricing_core.models.quantity import QuantityModel, learn_quantity
from pricing_core.models.sampling import (
    MINIMUM_OFFERS as MINIMUM_OFFERS,
)
from pricing_core.models.sampling import (
    check_enough as check_enough,
)
from pricing_core.models.sampling import held_out_rows, week_numbers
from pricing_core.models.sampling import (
    offered_prices as offered_prices,
)
from pricing_core.models.sampling import (
    sample_offers as sample_offers,
)
from pricing_core.models.settings_check import checked_seed, checked_settings
from pricing_core.models.shop_model import EncodedOffers, ShopModel
from pricing_core.models.warm_start import Previous, start_from
from pricing_core.progress import Progress, SilentProgress, SubProgress

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides what a training run learns.

    Parameters
    ----------
    seed
        One seed reaches every learner; the same seed gives the same price list.
    quick
        Fewer members, passes and trees: a first answer within a minute, with wider intervals.
    held_out_share
        Share of the latest offers that choose the length of training and judge the models, in (0, 0.5].
    max_rows
        Rows to learn from; above it all purchases are kept and refusals are sampled and weighted up.
    coverage
        Share of past prices that counts as supported.
    warm_start
        Run from whose networks to start; ``auto``: the one in use, where the log extends the one it learned from;
        ``none``: from the beginning.
    family
        Family of the behavior model, or ``auto``: later offers choose among all of them, but in a quick training.
    settings
        Settings of the behavior model in place of the defaults, such as ``{"learning_rate": 0.001}``: of the named
        family, or of the deep behavior model.
    pricing_settings
        Settings of the pricing model in place of the defaults, such as ``{"n_leaves": 15}``.
    origin
        Where settings came from, such as a tuning and its trial; the manifest keeps it, and it changes nothing.
    random_prices
        Whether prices were varied at random, as in a price test: the reaction that is measured is then taken as it is.
    """

    seed: int = 0
    quick: bool = False
    held_out_share: float = 0.15
    max_rows: int = 1_000_000
    coverage: float = 0.98
    warm_start: str = "auto"
    family: str = AUTO
    settings: Mapping[str, Any] = field(default_factory=dict)
    pricing_settings: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)
    random_prices: bool = False

    def __post_init__(self) -> None:
        checked_family(self.family)
        checked_seed(self.seed)
        own = family(NETWORK if self.family == AUTO else self.family)
        if self.settings or not isinstance(self.settings, Mapping):
            own.config(self.settings, quick=self.quick)
        self.pricing()
        if not 0 < self.held_out_share <= 0.5:
            raise ConfigError(f"The held-out share is {self.held_out_share}; it must be above 0 and at most 0.5.")
        if not 0.5 <= self.coverage < 1:
            raise ConfigError(f"The coverage of supported prices is {self.coverage}; it must be in [0.5, 1).")
        if self.max_rows < MINIMUM_OFFERS:
            raise ConfigError(f"max_rows is {self.max_rows}; at least {MINIMUM_OFFERS} are needed.")

    def behavior(self) -> BehaviorConfig:
        """Return the settings of the deep behavior model; those of another family are not its own."""
        own = self.settings if self.family in (AUTO, NETWORK) else {}
        config: BehaviorConfig = family(NETWORK).config(own, random_state=self.seed, quick=self.quick)
        return config

    def pricing(self) -> PricingConfig:
        """Return the settings of the pricing model."""
        quick = {"n_trees": 60, "n_folds": 2, "learning_rate": 0.15, "few_rows": 0}
        own = checked_settings(PricingConfig, self.pricing_settings, "Pricing model")
        return PricingConfig(**{**(quick if self.quick else {}), **own, "random_state": self.seed})

    def challenger(self) -> MonotoneTreesConfig:
        """Return the settings of the boosted trees that the behavior model is compared with."""
        if self.quick:
            return MonotoneTreesConfig(
                n_trees=80, learning_rate=0.1, constraint="intermediate", max_rows=60_000, random_state=self.seed
            )
        return MonotoneTreesConfig(random_state=self.seed)

    @property
    def recent_events(self) -> int:
        """Latest events of a customer that the network reads."""
        return 12 if self.quick else 20

    @property
    def row_limit(self) -> int:
        """Rows to learn from."""
        return min(self.max_rows, 210_000) if self.quick else self.max_rows


Judge = Callable[[Dataset, Sequence[Candidate], LaterOffers, Callable[[DemandModel], ShopModel]], Verdict]
"""Chooses among candidates by later offers; the last argument completes a demand model to the model of the shop."""


@dataclass(frozen=True)
class TrainingResult:
    """Fitted models, what judges need, and the account of the training."""

    model: ShopModel
    held_out: HeldOut
    history: pd.DataFrame
    counts: dict[str, int]
    seconds: dict[str, float] = field(default_factory=dict)
    identification: dict[str, Any] = field(default_factory=dict)
    choice: Verdict | None = None
    warm_start: dict[str, Any] = field(default_factory=dict)


def train_models(
    dataset: Dataset,
    config: TrainingConfig,
    progress: Progress | None = None,
    *,
    judge: Judge | None = None,
    previous: Previous | None = None,
) -> TrainingResult:
    """Fit both models on a data set; ``judge`` chooses among the candidates for the behavior model, else the first is.

    ``previous`` is a model from whose networks to start.

    Raises
    ------
    DataError
        If there are too few offers or purchases to learn from.
    """
    progress = progress or SilentProgress()
    clock = _Clock()
    check_enough(dataset.offers)
    offers, weight, counts = sample_offers(dataset.offers, config)
    late = held_out_rows(offers["offered_at"], config.held_out_share)
    progress.stage("Features", 0.02, f"Computing what was known before each of {len(offers):,} offers")
    uses = classify_columns(dataset)
    table = build_features(dataset, offers, uses=uses)
    encoder = FeatureEncoder(sequence_length=config.recent_events).fit(table)
    start, late, started = start_from(previous, encoder, table, config.behavior().members, late)
    batch = encoder.transform(table)
    clock.lap("features")
    progress.stage("Pricing model", 0.10, "Learning the going price and the shop's pricing habit")
    pricing, rows, identified = learn_prices(config, dataset, table, batch, weight)
    rows = replace(rows, start=start)
    encoded = EncodedOffers(table, rows.batch, pricing.train_going_)
    clock.lap("pricing model")
    progress.stage("Behavior model", 0.22, "Starting to learn how customers react to price")
    complete = _shop(dataset, encoder, pricing, uses, config, learn_quantity(offers, rows, config.seed))
    later = LaterOffers.of(encoded, rows, np.flatnonzero(late))
    few = rows.batch.n <= FEW_OFFERS and len(candidate_families(config.family, quick=config.quick)) > 1
    judges = LaterOffers.of(encoded, rows, np.arange(rows.batch.n), earlier=True) if few else later
    del offers, table, batch, encoded  # a gigabyte of readable features that only later offers are still asked for
    names = candidate_families(config.family, quick=config.quick)
    if rows.residual is not None and config.family == "auto":
        names = (NETWORK,)  # no other family enters what moved the price unseen beside the price
    own: dict[str, Any] = {"settings": {names[0]: config.settings}, "quick": config.quick, "random_state": config.seed}
    learn = telling_rows(rows, MANY_ROWS, np.flatnonzero(~late))
    candidates = fit_candidates(names, learn, later.rows, **own, progress=SubProgress(progress, 0.22, 0.50))
    del learn
    progress.stage("Behavior model", 0.51, "Judging the candidates on later offers")
    verdict = Verdict(names[0], "", names[:1]) if judge is None else judge(dataset, candidates, judges, complete)
    chosen = chosen_model(candidates, verdict, quick=config.quick, random_state=config.seed)
    clock.lap("choosing the model and the length of training")
    final = refit(chosen, rows, **own, progress=SubProgress(progress, 0.52, 0.82))
    clock.lap("behavior model")
    progress.stage("Baselines", 0.83, "Training the simple models that it has to beat")
    past = past_offers(chosen, rows, np.flatnonzero(~late))
    rows = rows.without_events().take(~late)  # in place of all rows: another gigabyte
    held_out = judged(later, rows, complete(chosen), config.challenger(), past)
    clock.lap("baselines")
    history = pd.DataFrame(chosen.history_ + final.history_)
    return TrainingResult(complete(final), held_out, history, counts, clock.seconds, identified, verdict, started)


def _shop(
    dataset: Dataset,
    encoder: FeatureEncoder,
    pricing: PricingModel,
    uses: list[ColumnUse],
    config: TrainingConfig,
    quantity: QuantityModel | None,
) -> Callable[[DemandModel], ShopModel]:
    """Return what completes a demand model to the model of the shop."""
    product_offers = {str(k): int(v) for k, v in dataset.offers["product_id"].astype(str).value_counts().items()}
    offered = offered_prices(dataset.offers)

    def complete(behavior: DemandModel) -> ShopModel:
        return ShopModel(encoder, pricing, behavior, uses, product_offers, config.coverage, offered, quantity)

    return complete


def learn_prices(
    config: TrainingConfig,
    dataset: Dataset,
    table: FeatureTable,
    batch: EncodedBatch,
    weight: Floats,
    *,
    challenge: bool = True,
) -> tuple[PricingModel, LearningRows, dict[str, Any]]:
    """Fit the pricing model, measure every logged price by its cross-fitted reference, and say what identifies it.

    ``challenge`` says whether its challenger is fitted too.
    """
    offers = table.offers
    price = offers["price"].to_numpy(dtype=float)
    label = customer_labels(offers["customer_id"], dataset.offers)
    customers = pd.factorize(label, sort=True)[0].astype(np.int64)
    pricing = PricingModel(config.pricing()).fit(
        batch,
        table.base_price,
        price,
        customers,
        weight,
        table.category.to_numpy(dtype=object),
        (20_000 if config.quick else 60_000) if challenge else 0,
    )
    going = pricing.train_going_
    x = price / going.reference
    stage = instrument_stage(offers, batch.matrix, going.expected, x, weight, customers, config.seed)
    rows = LearningRows(
        batch.with_expected_price(going.expected.astype(np.float32)),
        x,
        offers["purchased"].to_numpy(dtype=float),
        label,
        weight,
        week_numbers(offers["offered_at"]),
        stage.residual if stage is not None and not stage.weak else None,
    )
    return pricing, rows, identification(rows, stage, config.seed)


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name], self._last = round(now - self._last, 2), now
