"""Later offers on which a training is judged, and the simple models that it has to beat there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pricing_core.features import FeatureTable
from pricing_core.models.behavior import logged_response
from pricing_core.models.learning_rows import LearningRows
from pricing_core.models.monotone_trees import MonotoneTrees, MonotoneTreesConfig
from pricing_core.models.past_offers import PastOffers
from pricing_core.models.pricing_model import GoingPrice
from pricing_core.models.shop_model import EncodedOffers, ShopModel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HeldOut:
    """Later offers, judged by models that learned from earlier ones only.

    ``probability`` (n,) of the logged price by the behavior model; ``baselines`` name → probability (n,); ``model``
    forecasts what happens at prices that the shop sets as it did; ``pricer`` is the one to ask for other prices where
    that is another one; ``past`` are the earlier offers, which say how much the offers of a week share.
    """

    encoded: EncodedOffers
    price: Floats
    purchased: Floats
    weight: Floats
    probability: Floats
    baselines: dict[str, Floats]
    model: ShopModel
    pricer: ShopModel | None = None
    past: PastOffers | None = None

    @property
    def pricing_model(self) -> ShopModel:
        """The model to ask for other prices than the shop's own."""
        return self.model if self.pricer is None else self.pricer


@dataclass(frozen=True)
class LaterOffers:
    """Later offers before anything is judged on them: as encoded, and as rows to learn from.

    With ``earlier`` offers among them, each may only be judged by draws that did not learn from its customer.
    """

    encoded: EncodedOffers
    rows: LearningRows
    earlier: bool = False

    @classmethod
    def of(
        cls, encoded: EncodedOffers, rows: LearningRows, index: NDArray[np.int64], *, earlier: bool = False
    ) -> LaterOffers:
        """Rows of all offers by index."""
        going = GoingPrice(*(getattr(encoded.going, n)[index] for n in ("reference", "expected", "spread")))
        later = rows.take(index)
        return cls(EncodedOffers(table_rows(encoded.table, index), later.batch, going), later, earlier)

    def take(self, index: NDArray[np.int64]) -> LaterOffers:
        """Some of them."""
        return LaterOffers.of(self.encoded, self.rows, index, earlier=self.earlier)


def judged(
    later: LaterOffers, earlier: LearningRows, model: ShopModel, challenger: MonotoneTreesConfig, past: PastOffers
) -> HeldOut:
    """Answers of a model and of the baselines, all of which learned from earlier offers, at the later ones."""
    rows, going = later.rows, later.encoded.going
    response = logged_response(model.behavior, rows, going.reference)
    price = rows.x * going.reference
    trees = MonotoneTrees(challenger).fit(earlier.batch, earlier.x, earlier.y, earlier.weight)
    rate = float(np.average(earlier.y, weights=earlier.weight))
    baselines = {
        "monotone boosted trees": trees.probability(rows.batch, rows.x),
        "average of the product": _product_rate(earlier, rows, rate),
        "average of the shop": np.full(rows.batch.n, rate),
    }
    return HeldOut(
        encoded=later.encoded,
        price=price,
        purchased=rows.y,
        weight=rows.weight,
        probability=response.probability(price),
        baselines=baselines,
        model=model,
        past=past,
    )


def _product_rate(earlier: LearningRows, later: LearningRows, rate: float, prior: float = 50.0) -> Floats:
    width = int(earlier.batch.product_code.max()) + 2
    total = np.bincount(earlier.batch.product_code, earlier.weight, width)
    bought = np.bincount(earlier.batch.product_code, earlier.weight * earlier.y, width)
    shrunk = (bought + prior * rate) / (total + prior)
    return np.asarray(shrunk[np.minimum(later.batch.product_code, width - 1)])


def table_rows(table: FeatureTable, index: NDArray[np.int64]) -> FeatureTable:
    """Rows of a feature table, in the order of ``index``."""
    return FeatureTable(
        offers=table.offers.iloc[index].reset_index(drop=True),
        frame=table.frame.iloc[index].reset_index(drop=True),
        block_of=table.block_of,
        base_price=table.base_price[index],
        list_price=table.list_price[index],
        unit_cost=table.unit_cost[index],
        cost_assumed=table.cost_assumed[index],
        competitor_price=table.competitor_price[index],
        category=table.category.iloc[index].reset_index(drop=True),
        events=table.events,
        category_of=table.category_of,
        untold=table.untold,
    )
