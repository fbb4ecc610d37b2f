"""Answer for very many (customer, product) pairs at one time: what belongs to one side is computed once.

The plain path computes every feature, tree and layer for every row. Here a table of *sides* is made ready: one row for
each customer and category, one for each customer and product that have met before, and one for each product. A pair is
then a row of the first kinds and a row of the last, and only what needs both is left to compute. Features come from the
same code as on the plain path, so both answer alike up to the rounding of sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.dataset import Dataset
from pricing_core.errors import DataError
from pricing_core.features import EncodedBatch, FeatureTable, build_features
from pricing_core.features.history import event_log
from pricing_core.models.behavior import BehaviorModel
from pricing_core.models.folds import customer_fold, customer_labels
from pricing_core.models.leaf_masks import PairedTrees, fits
from pricing_core.models.paired_network import PairedNetwork
from pricing_core.models.pricing_model import GoingPrice
from pricing_core.models.shop_model import EncodedOffers, ShopModel, current_prices
from pricing_core.models.threads import in_blocks, one_blas_thread
from pricing_core.response.pricing_rows import PricingRows

if TYPE_CHECKING:
    from pricing_core.features.labels import OfferGroups

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOBODY: Final = "\x00nobody"  # an id that no shop has: whatever is asked about it is the answer for a stranger
_BLOCK: Final = 2048
_MOST_CELLS: Final = 200_000_000  # of the table that says which pairs have met
_OWN_PRODUCT: Final = ("product", "products: ", "brand", "week", "offers: ")


@dataclass(frozen=True)
class _Sides:
    """Encoded rows of one kind of side, and the readable features behind them."""

    table: FeatureTable
    batch: EncodedBatch


class PriceServer:
    """A model with everything at hand that does not depend on the pair.

    Parameters
    ----------
    model, dataset
        The shop's models and the past that features are computed from.
    customers, products
        Ids that may be asked about, each once.
    at
        Time of all offers.

    Raises
    ------
    DataError
        If there are no customers or products.
    """

    def __init__(
        self, model: ShopModel, dataset: Dataset, customers: Sequence[str], products: Sequence[str], at: pd.Timestamp
    ) -> None:
        if not len(customers) or not len(products):
            raise DataError("There are no customers or no products to price.", fix="Give at least one of each.")
        self.model, self.dataset, self.at = model, dataset, at
        self.customers, self.products = pd.Index(customers).astype(str), pd.Index(products).astype(str)
        self._goods = self._encode(pd.DataFrame({"customer_id": NOBODY, "product_id": self.products}))
        base, batch = self._goods.table.base_price, self._goods.batch
        self._going = model.pricing.predict(batch, base)
        self._who, self._who_of = self._customer_sides()
        trees = model.pricing
        self._left, self._right = self._who.batch.customer, batch.matrix()[:, batch.customer.shape[1] :]
        self._expected = PairedTrees(trees.expected_, self._left, self._right) if fits(trees.expected_) else None
        self._spread = PairedTrees([trees.spread_], self._left, self._right) if fits([trees.spread_]) else None
        networks = model.behavior.networks_ if isinstance(model.behavior, BehaviorModel) else []
        with one_blas_thread():
            self._networks = [PairedNetwork(each, self._who.batch, batch) for each in networks]

    @staticmethod
    def suits(model: ShopModel, offers: pd.DataFrame) -> bool:
        """Whether offers can be answered so: by the network, all at one time, without columns of their own."""
        plain = set(offers.columns) <= {"customer_id", "product_id", "offered_at"}
        small = fits([*model.pricing.expected_, model.pricing.spread_])
        return isinstance(model.behavior, BehaviorModel) and plain and small and offers["offered_at"].nunique() == 1

    def places(self, customer_ids: pd.Series, product_ids: pd.Series) -> tuple[Ints, Ints]:
        """Places of ids in ``customers`` and ``products``, as :meth:`rows` wants them.

        Raises
        ------
        DataError
            If an id is not among those that were made ready.
        """
        found = self.customers.get_indexer(pd.Index(customer_ids)), self.products.get_indexer(pd.Index(product_ids))
        unknown = int(((found[0] < 0) | (found[1] < 0)).sum())
        if unknown:
            raise DataError(f"{unknown} pairs name a customer or product that was not made ready.", fix="Prepare anew.")
        return found

    def rows(self, customer: Ints, product: Ints) -> PricingRows:
        """What the optimizer sees of pairs, given as places in ``customers`` and ``products``, each (n,)."""
        who, n = self._who_of(customer, product), len(customer)
        going = self._going_price(who, product)
        behavior = self.model.behavior
        assert isinstance(behavior, BehaviorModel)  # as ``suits`` has checked
        draws = 2 * behavior.networks_[0].members
        curves = [tuple(np.empty((n, draws), dtype=np.float32) for _ in range(2)) for _ in self._networks]
        expected = going.expected.astype(np.float32)

        def work(rows: slice) -> None:
            for network, (level, slope) in zip(self._networks, curves, strict=True):
                level[rows], slope[rows] = network.curves(who[rows], product[rows], expected[rows])

        in_blocks(n, _BLOCK, work)
        code = self._goods.batch.product_code[product]
        pairs = [(level, slope) for level, slope in curves]
        response = behavior.response_of(pairs, code, expected.astype(float), going.reference)
        return self._pricing_rows(customer, product, going, response)

    def _pricing_rows(self, customer: Ints, product: Ints, going: GoingPrice, response: Any) -> PricingRows:
        goods, groups = self._goods.table, self._groups
        low, high = self._supported(product, going)
        current = self._current[product]
        evidence = self._few[product].copy()
        evidence[(current < low) | (current > high)] = "extrapolated"
        labels = {name: values[product] for name, values in groups[0].labels.items() if _of_product(name)}
        labels |= {name: values[customer] for name, values in groups[1].labels.items() if not _of_product(name)}
        return PricingRows(
            customer_id=self._customer_names[customer],
            product_id=self._product_names[product],
            category=self._categories[product],
            current_price=current,
            list_price=goods.list_price[product],
            unit_cost=goods.unit_cost[product],
            competitor_price=goods.competitor_price[product],
            support_low=low,
            support_high=high,
            customer_fold=self._folds[customer],
            evidence=evidence,
            weight=np.ones(len(product)),
            response=response,
            cost_assumed=goods.cost_assumed[product],
            stock=groups[0].stock[product],
            labels={name: labels[name] for name in groups[0].labels if name in labels},
            numbers={name: values[customer] for name, values in groups[1].numbers.items()},
        )

    def _encode(self, offers: pd.DataFrame) -> _Sides:
        table = build_features(self.dataset, offers.assign(offered_at=self.at), uses=self.model.uses)
        return _Sides(table, self.model.encoder.transform(table))

    def _customer_sides(self) -> tuple[_Sides, Any]:
        """Sides of customers, and the function that finds the side of a pair."""
        category, kinds = pd.factorize(pd.Series(self._categories))
        n_kinds, n_products = len(kinds), len(self.products)
        strangers = pd.DataFrame(
            {
                "customer_id": np.repeat(self.customers.to_numpy(), n_kinds),
                "product_id": NOBODY,
                "category": np.tile(np.asarray(kinds), len(self.customers)),
            }
        )
        met_customer, met_product = self._met()
        met = pd.DataFrame(
            {
                "customer_id": self.customers.to_numpy()[met_customer],
                "product_id": self.products.to_numpy()[met_product],
                "category": self._categories[met_product],
            }
        )
        sides = self._encode(pd.concat([strangers, met], ignore_index=True))
        first = len(strangers)
        pair = met_customer * n_products + met_product  # ascending
        if len(self.customers) * n_products <= _MOST_CELLS:
            cells = (np.arange(len(self.customers))[:, None] * n_kinds + category[None, :]).astype(np.int32).ravel()
            cells[pair] = first + np.arange(len(pair), dtype=np.int32)
            return sides, lambda customer, product: cells[customer * n_products + product]

        def find(customer: Ints, product: Ints) -> Ints:
            asked = customer * n_products + product
            place = np.minimum(np.searchsorted(pair, asked), max(len(pair) - 1, 0))
            known = pair[place] == asked if len(pair) else np.zeros(len(asked), dtype=bool)
            return np.where(known, first + place, customer * n_kinds + category[product])

        return sides, find

    def _met(self) -> tuple[Ints, Ints]:
        """Pairs of customer and product with an offer or event, in ascending order."""
        named = [
            each[["customer_id", "product_id"]].astype(str) for each in (event_log(self.dataset), self.dataset.offers)
        ]
        known = pd.concat(named, ignore_index=True).drop_duplicates()
        customer = self.customers.get_indexer(pd.Index(known["customer_id"]))
        product = self.products.get_indexer(pd.Index(known["product_id"]))
        both = (customer >= 0) & (product >= 0)
        pair = np.unique(customer[both].astype(np.int64) * len(self.products) + product[both])
        return pair // len(self.products), pair % len(self.products)

    def _going_price(self, who: Ints, product: Ints) -> GoingPrice:
        """Going price of pairs: the reference is the product's, the usual price there the pair's."""
        n = len(who)
        expected, spread = np.empty(n), np.empty(n)
        assert self._expected is not None and self._spread is not None  # as ``suits`` has checked

        def work(rows: slice) -> None:
            expected[rows] = self._expected.predict(who[rows], product[rows])  # type: ignore[union-attr]
            spread[rows] = self._spread.predict(who[rows], product[rows])  # type: ignore[union-attr]

        in_blocks(n, _BLOCK, work)
        return GoingPrice(self._going.reference[product], expected, np.maximum(spread, self.model.pricing.floor_))

    def _supported(self, product: Ints, going: GoingPrice) -> tuple[Floats, Floats]:
        """As :meth:`ShopModel.supported`, with the ends of each product looked up once."""
        low, high = self.model.pricing.supported_range(going, self.model.coverage)
        ends = self._ends[product]
        return np.clip(low, ends[:, 0], ends[:, 1]), np.clip(high, ends[:, 0], ends[:, 1])

    @cached_property
    def _ends(self) -> Floats:
        known = self.model.product_prices
        return np.array([known.get(name, (-np.inf, np.inf)) for name in self.products], dtype=float)

    @cached_property
    def _categories(self) -> NDArray[np.object_]:
        return self._goods.table.category.to_numpy(dtype=object)

    @cached_property
    def _customer_names(self) -> NDArray[np.object_]:
        return self.customers.to_numpy(dtype=object)

    @cached_property
    def _product_names(self) -> NDArray[np.object_]:
        return self.products.to_numpy(dtype=object)

    @cached_property
    def _folds(self) -> Ints:
        return customer_fold(customer_labels(pd.Series(self.customers), self.dataset.offers))

    @cached_property
    def _current(self) -> Floats:
        return current_prices(self.dataset, self._goods.table, self._going)

    @cached_property
    def _few(self) -> NDArray[np.object_]:
        table, level = self._goods.table, self._current
        return self.model.evidence(table, level, level, level)

    @cached_property
    def _groups(self) -> tuple[OfferGroups, OfferGroups]:
        """Groups of the products and of the customers."""
        goods = self.model.groups(self.dataset, EncodedOffers(self._goods.table, self._goods.batch, self._going))
        people = self._encode(pd.DataFrame({"customer_id": self.customers, "product_id": NOBODY}))
        return goods, self.model.groups(self.dataset, EncodedOffers(people.table, people.batch, self._going))


def _of_product(name: str) -> bool:
    return name.startswith(_OWN_PRODUCT)
