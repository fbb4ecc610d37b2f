"""Encoder, pricing model and behavior model of one shop: fitted together, saved together, asked together."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.columns import ColumnUse
from pricing_core.data.dataset import Dataset
from pricing_core.errors import ModelError, reason
from pricing_core.features import EncodedBatch, FeatureEncoder, FeatureTable, build_features
from pricing_core.features.labels import OfferGroups, offer_groups
from pricing_core.models.demand_model import DemandModel, load_demand_model, save_demand_model
from pricing_core.models.folds import customer_fold, customer_labels
from pricing_core.models.pricing_model import GoingPrice, PricingModel
from pricing_core.models.quantity import QuantityModel
from pricing_core.response.pricing_rows import PricingRows

Floats = NDArray[np.float64]

_FEW_OFFERS = 50  # a product with fewer logged offers borrows its response from its attributes
_RECENT_DAYS = 28


@dataclass(frozen=True)
class EncodedOffers:
    """Offers made ready for the models: readable features, encoded batch and going price, row by row."""

    table: FeatureTable
    batch: EncodedBatch
    going: GoingPrice


class ShopModel:
    """The two models of a shop and the encoding that they share.

    Parameters
    ----------
    encoder, pricing, behavior
        Fitted parts.
    uses
        Which columns were used as features.
    product_offers
        Logged offers per product id.
    coverage
        Share of past prices that counts as supported.
    product_prices
        Lowest and highest price at which each product was offered, leaving out the outermost half percent.
    quantity
        Expected units per purchase; None where the data know no quantities.
    """

    def __init__(
        self,
        encoder: FeatureEncoder,
        pricing: PricingModel,
        behavior: DemandModel,
        uses: list[ColumnUse],
        product_offers: dict[str, int],
        coverage: float = 0.98,
        product_prices: dict[str, list[float]] | None = None,
        quantity: QuantityModel | None = None,
    ) -> None:
        self.encoder, self.pricing, self.behavior = encoder, pricing, behavior
        self.uses, self.product_offers, self.coverage = uses, product_offers, coverage
        self.product_prices = product_prices or {}
        self.quantity = quantity

    def encode(
        self,
        dataset: Dataset,
        offers: pd.DataFrame,
        *,
        competitor_change_rate: float = 0.0,
        cost_change_rate: float = 0.0,
    ) -> EncodedOffers:
        """Features and going price of any offers, also of customers, products and categories never seen."""
        table = build_features(
            dataset,
            offers,
            uses=self.uses,
            competitor_change_rate=competitor_change_rate,
            cost_change_rate=cost_change_rate,
        )
        batch = self.encoder.transform(table)
        going = self.pricing.predict(batch, table.base_price)
        return EncodedOffers(table, batch.with_expected_price(going.expected.astype(np.float32)), going)

    def rows(self, dataset: Dataset, encoded: EncodedOffers) -> PricingRows:
        """Return what the optimizer sees of encoded offers: prices, costs, support and the price response."""
        table, going = encoded.table, encoded.going
        low, high = self.supported(table.offers["product_id"], going)
        current = current_prices(dataset, table, going)
        groups = self.groups(dataset, encoded)
        return PricingRows(
            customer_id=table.offers["customer_id"].astype(str).to_numpy(dtype=object),
            product_id=table.offers["product_id"].astype(str).to_numpy(dtype=object),
            category=table.category.to_numpy(dtype=object),
            current_price=current,
            list_price=table.list_price,
            unit_cost=table.unit_cost,
            competitor_price=table.competitor_price,
            support_low=low,
            support_high=high,
            customer_fold=customer_fold(customer_labels(table.offers["customer_id"], dataset.offers)),
            evidence=self.evidence(table, current, low, high),
            weight=np.ones(table.n),
            response=self.behavior.respond(encoded.batch, going.reference),
            cost_assumed=table.cost_assumed,
            stock=groups.stock,
            labels=groups.labels,
            numbers=groups.numbers,
            units_per_purchase=np.ones(table.n) if self.quantity is None else self.quantity.predict(encoded.batch),
        )

    def groups(self, dataset: Dataset, encoded: EncodedOffers) -> OfferGroups:
        """Labels, numbers and stock by which the encoded offers can be grouped."""
        return offer_groups(dataset, encoded.table, self.uses)

    def supported(self, product_id: pd.Series, going: GoingPrice) -> tuple[Floats, Floats]:
        """Range of prices common in comparable situations, and never outside those at which the product was offered."""
        low, high = self.pricing.supported_range(going, self.coverage)
        seen = product_id.astype(str).map(self.product_prices)
        known = seen.notna().to_numpy()
        if known.any():
            ends = np.array(seen[known].tolist())
            low[known], high[known] = (np.clip(end[known], ends[:, 0], ends[:, 1]) for end in (low, high))
        return low, high

    def evidence(self, table: FeatureTable, current: Floats, low: Floats, high: Floats) -> NDArray[np.object_]:
        """How well each row's price is backed: measured, borrowed, or extrapolated from the supported prices."""
        seen = table.offers["product_id"].astype(str).map(self.product_offers).fillna(0).to_numpy(dtype=float)
        label = np.where(seen < _FEW_OFFERS, "borrowed", "measured").astype(object)
        label[(current < low) | (current > high)] = "extrapolated"
        return label

    def save(self, folder: Path) -> None:
        """Write every part in an open format."""
        self.pricing.save(folder)
        save_demand_model(self.behavior, folder)
        if self.quantity is not None:
            self.quantity.save(folder)
        state = {
            "encoder": self.encoder.to_dict(),
            "uses": [asdict(use) for use in self.uses],
            "product_offers": self.product_offers,
            "coverage": self.coverage,
            "product_prices": self.product_prices,
        }
        (folder / "features.json").write_text(json.dumps(state))

    @classmethod
    def load(cls, folder: Path) -> ShopModel:
        """Read what :meth:`save` wrote; TensorFlow is not needed."""
        try:
            state: dict[str, Any] = json.loads((folder / "features.json").read_text())
            encoder = FeatureEncoder.from_dict(state["encoder"])
            uses = [ColumnUse(**use) for use in state["uses"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"The model in {folder.name} cannot be read: {reason(error)}.", fix="Train again."
            ) from error
        pricing, behavior = PricingModel.load(folder), load_demand_model(folder)
        coverage, prices = float(state["coverage"]), state["product_prices"]
        quantity = QuantityModel.load(folder)
        return cls(encoder, pricing, behavior, uses, state["product_offers"], coverage, prices, quantity)


def current_prices(dataset: Dataset, table: FeatureTable, going: GoingPrice) -> Floats:
    """Price that holds today for each row.

    The row's own ``price`` or ``current_price`` where given; otherwise the median price of the product in the last
    four weeks of the log, its list price, or the going price.
    """
    current = pd.Series(np.nan, index=table.offers.index, dtype=float)
    for column in ("price", "current_price"):
        if column in table.offers.columns:
            current = current.fillna(pd.to_numeric(table.offers[column], errors="coerce").astype(float))
    if current.isna().any():
        log = dataset.offers
        recent = log[log["offered_at"] > log["offered_at"].max() - pd.Timedelta(days=_RECENT_DAYS)]
        median = recent.groupby(recent["product_id"].astype(str))["price"].median().round(2)
        current = current.fillna(table.offers["product_id"].astype(str).map(median))
        current = current.fillna(pd.Series(table.list_price, index=current.index))
        current = current.fillna(pd.Series(going.reference, index=current.index))
    return np.asarray(current, dtype=float)
