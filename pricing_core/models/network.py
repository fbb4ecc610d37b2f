"""Architecture of the behavior network. TensorFlow is imported inside the functions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pricing_core.features.batch import EncodedBatch
from pricing_core.features.history import EVENT_TYPES


@dataclass(frozen=True)
class NetworkShape:
    """Widths of the inputs and of the layers.

    Parameters
    ----------
    customer_width, product_width, market_width, n_products, sequence_length, n_channels
        Given by the encoded data.
    members
        Ensemble members that share the event tower.
    base_logit, base_sensitivity, mean_price
        Where the network starts: a pooled logit of the training rows.
    """

    customer_width: int
    product_width: int
    market_width: int
    n_products: int
    sequence_length: int
    n_channels: int
    members: int
    base_logit: float
    base_sensitivity: float
    mean_price: float
    embedding: int = 8
    filters: int = 16
    customer_units: int = 32
    product_units: int = 24
    market_units: int = 12
    cross_units: int = 8
    joint_units: int = 48
    head_units: int = 24

    @classmethod
    def of(cls, batch: EncodedBatch, members: int, start: tuple[float, float, float]) -> NetworkShape:
        """Shape for a batch; ``start`` is base logit, base sensitivity and mean price."""
        return cls(
            customer_width=batch.customer.shape[1],
            product_width=batch.product.shape[1],
            market_width=batch.market.shape[1],
            n_products=batch.n_products,
            sequence_length=batch.sequence.shape[1],
            n_channels=batch.sequence.shape[2],
            members=members,
            base_logit=start[0],
            base_sensitivity=start[1],
            mean_price=start[2],
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able settings."""
        return asdict(self)


def build_network(shape: NetworkShape) -> Any:
    """Towers for customer (with a convolution over recent events), product and market, joined into demand parameters.

    Returns
    -------
    keras.Model
        Inputs by name as in :class:`~pricing_core.features.batch.EncodedBatch`; output (members, n, 2, 2).
    """
    import keras

    from pricing_core.models.layers import BorrowingEmbedding, DemandHeads, MaskedPool, MemberDense, TasteMatch

    def member(units: int, name: str, activation: str | None = "relu", gain: float = 1.4) -> Any:
        return MemberDense(shape.members, units, activation, gain, name=name)

    customer = keras.Input((shape.customer_width,), name="customer")
    product = keras.Input((shape.product_width,), name="product")
    market = keras.Input((shape.market_width,), name="market")
    code = keras.Input((), name="product_code", dtype="int32")
    sequence = keras.Input((shape.sequence_length, shape.n_channels), name="sequence")
    item = keras.Input((shape.sequence_length,), name="sequence_item", dtype="int32")
    mask = keras.Input((shape.sequence_length,), name="sequence_mask")
    expected = keras.Input((1,), name="expected_price")

    embed = BorrowingEmbedding(shape.n_products + 1, shape.embedding, name="product_embedding")
    identity, history = embed(code), embed(item)
    match = TasteMatch(name="taste_match")(identity, history, sequence[:, :, : len(EVENT_TYPES)])
    events = keras.layers.Concatenate(name="events")([history, sequence])
    events = keras.layers.Conv1D(shape.filters, 3, padding="same", activation="relu", name="event_convolution")(events)
    events = MaskedPool(name="event_pool")(events, mask)

    wide = keras.layers.Concatenate(name="wide")([customer, product, market, match])
    who = keras.layers.Concatenate(name="customer_inputs")([customer, events, match])
    what = keras.layers.Concatenate(name="product_inputs")([product, identity])
    towers = keras.layers.Concatenate(name="towers")(
        [
            member(shape.customer_units, "customer_tower")(who),
            member(shape.product_units, "product_tower")(what),
            member(shape.market_units, "market_tower")(market),
        ]
    )
    joint = member(shape.joint_units, "joint_1")(towers)
    joint = member(shape.head_units, "joint_2")(joint)
    # The second head may also bend with the expected price; the first one sees it only through the centering.
    level = member(8, "expected_price_tower")(expected)
    second = keras.layers.Concatenate(name="second_head_inputs")([joint, level])
    raw = keras.layers.Concatenate(name="raw")(
        [member(2, "head_1", None, 0.1)(joint), member(2, "head_2", None, 0.1)(second)]
    )
    # A product of linear views lets a category have its own season, or a brand its own competitor.
    by_product = member(shape.cross_units, "product_view", None, 1.0)(what)
    by_market = member(shape.cross_units, "market_view", None, 1.0)(market)
    cross = keras.layers.Multiply(name="cross")([by_product, by_market])
    raw = raw + member(4, "wide_path", None, 0.1)(wide) + member(4, "cross_path", None, 0.1)(cross)
    heads = DemandHeads(shape.base_logit, shape.base_sensitivity, shape.mean_price, name="demand")
    inputs = [customer, product, market, code, sequence, item, mask, expected]
    return keras.Model(inputs={i.name: i for i in inputs}, outputs=heads(raw, expected), name="behavior")
