"""Start the networks from the last model's weights where its log has only grown.

Layers keep their weights; a known product keeps its embedding, and a new one gets the mean of its category's (of the
product never seen, where the category is new too). Features keep the scale and the order of levels of the last model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.features import FeatureEncoder, FeatureTable
from pricing_core.models.serving import MEMBER_LAYERS, ServingNetwork

Floats = NDArray[np.float64]

WARM_STEP: Final = 0.5
"""Step size of the optimizer from a warm start, as a share of that from a cold one."""

LEAST_NEW: Final = 0.05
"""Share of offers that must be newer than the last model's log: they judge it, since it has not seen them."""

_LEAST_SHARE: Final = 0.2  # of its own response below which a product's embedding is not scaled back up


@dataclass(frozen=True)
class WarmStart:
    """Networks of the last model, one per fold of customers, with an embedding table for today's products."""

    networks: tuple[ServingNetwork, ...]


@dataclass(frozen=True)
class Previous:
    """The last model, as a start: id of its run, its networks and encoder, and the end of the log it learned from."""

    run_id: str
    networks: list[ServingNetwork]
    encoder: FeatureEncoder
    log_to: pd.Timestamp

    def begin(
        self,
        encoder: FeatureEncoder,
        category_of: Mapping[str, str],
        members: int,
        offered_at: pd.Series,
        late: NDArray[np.bool_],
    ) -> tuple[WarmStart | None, NDArray[np.bool_], dict[str, Any]]:
        """Start from this model where that is possible and can be judged.

        Returns
        -------
        start, late, account
            The start or None; which offers judge: those after this model's log, unless ``late`` are so already; and for
            the manifest ``run, used, reason``.
        """
        new = (offered_at > self.log_to).to_numpy()
        if new.mean() < LEAST_NEW:
            reason = f"only {new.mean():.1%} of the offers are newer than its log; judging takes {LEAST_NEW:.0%}"
            return None, late, {"run": self.run_id, "used": False, "reason": reason}
        found = warm_start(self.networks, self.encoder, encoder, category_of, members)
        if isinstance(found, str):
            return None, late, {"run": self.run_id, "used": False, "reason": found}
        judges = late if not (late & ~new).any() else new
        return found, judges, {"run": self.run_id, "used": True, "reason": ""}


def start_from(
    previous: Previous | None, encoder: FeatureEncoder, table: FeatureTable, members: int, late: NDArray[np.bool_]
) -> tuple[WarmStart | None, NDArray[np.bool_], dict[str, Any]]:
    """:meth:`Previous.begin` for the rows of a feature table; no start where there is no last model."""
    if previous is None:
        return None, late, {"run": "", "used": False, "reason": ""}
    known = {str(product): str(category) for product, category in table.category_of.items()}
    return previous.begin(encoder, known, members, table.offers["offered_at"], late)


def warm_start(
    networks: list[ServingNetwork],
    previous: FeatureEncoder,
    encoder: FeatureEncoder,
    category_of: Mapping[str, str],
    members: int,
) -> WarmStart | str:
    """Last networks with tables for the products of ``encoder``, or why they cannot serve as a start.

    Parameters
    ----------
    networks
        Of the last model, one per fold.
    previous, encoder
        Encoders of the last model and of today's rows; where the start can be used, ``encoder`` takes over the scales
        and levels of the other.
    category_of
        Category of every product.
    members
        Members of today's networks.
    """
    if any(network.members != members for network in networks):
        return f"it has {networks[0].members} members a half, today's settings ask for {members}"
    if previous.sequence_length != encoder.sequence_length:
        return "it reads another number of recent events"
    different = [block for block in encoder.columns_ if _kinds(previous, block) != _kinds(encoder, block)]
    if different:
        return f"the features of {' and '.join(different)} have changed"
    encoder.columns_ = previous.columns_
    places = {product: code + 1 for code, product in enumerate(previous.products_)}
    return WarmStart(tuple(_with_products(network, places, encoder.products_, category_of) for network in networks))


def set_weights(model: Any, network: ServingNetwork, share: Floats) -> None:
    """Put weights into a Keras model of the same shape; ``share`` (codes,) is what products count of their own."""
    for name in (*MEMBER_LAYERS, "event_convolution"):
        layer = model.get_layer(name)
        layer.kernel.assign(network.weights[f"{name}.kernel"])
        layer.bias.assign(network.weights[f"{name}.bias"])
    table = network.weights["product_embedding"]
    # The stored table is that after borrowing; the layer will let thin products borrow again.
    own = np.maximum(share, _LEAST_SHARE).astype(np.float32)[:, None]
    own[0] = 1.0
    model.get_layer("product_embedding").embeddings.assign(table[:1] + (table - table[:1]) / own)


def _kinds(encoder: FeatureEncoder, block: str) -> list[tuple[str, str, tuple[str, ...], bool]]:
    return [
        (spec["name"], spec["kind"], tuple(sorted(spec.get("levels", ()))), bool(spec.get("missing", False)))
        for spec in encoder.columns_[block]
    ]


def _with_products(
    network: ServingNetwork, places: Mapping[str, int], products: list[str], category_of: Mapping[str, str]
) -> ServingNetwork:
    old = network.weights["product_embedding"]
    members: dict[str, list[int]] = {}
    for product, code in places.items():
        members.setdefault(category_of.get(product, ""), []).append(code)
    table = np.repeat(old[:1], len(products) + 1, axis=0)
    for code, product in enumerate(products, start=1):
        if product in places:
            table[code] = old[places[product]]
        elif members.get(category_of.get(product, "")):
            table[code] = old[members[category_of.get(product, "")]].mean(axis=0)
    return ServingNetwork({**network.weights, "product_embedding": table})
