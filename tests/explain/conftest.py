"""A behavior model with random weights: nothing is trained, everything about it can be computed."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.features import EncodedBatch
from pricing_core.models.behavior import BehaviorModel
from pricing_core.models.calibration import CurveCalibration
from pricing_core.models.serving import ServingNetwork
from pricing_core.models.surface import CostedBatch

WIDTHS = {"customer": 4, "product": 3, "market": 2}
MEMBERS, PRODUCTS, LENGTH, CHANNELS, SIZE, FILTERS = 2, 5, 6, 8, 3, 4
GROUPS = (
    ("tier", "customer", (0, 1)),
    ("age", "customer", (2,)),
    ("visits", "customer", (3,)),
    ("unit cost", "product", (0,)),
    ("pack", "product", (1, 2)),
    ("competitor", "market", (0,)),
    ("season", "market", (1,)),
    ("product identity", "product_code", ()),
    ("recent events", "sequence", ()),
    ("usual price", "expected_price", ()),
)


def _network(seed: int) -> ServingNetwork:
    rng = np.random.default_rng(seed)
    a, b, c = WIDTHS.values()
    what, who, towers = b + SIZE, a + 2 * FILTERS + 4, 6 + 5 + 4
    shapes = {
        "customer_tower": (who, 6),
        "product_tower": (what, 5),
        "market_tower": (c, 4),
        "expected_price_tower": (1, 3),
        "joint_1": (towers, 9),
        "joint_2": (9, 7),
        "head_1": (7, 2),
        "head_2": (7 + 3, 2),
        "product_view": (what, 3),
        "market_view": (c, 3),
        "cross_path": (3, 4),
        "wide_path": (a + b + c + 4, 4),
    }
    weights = {}
    for name, (rows, columns) in shapes.items():
        weights[f"{name}.kernel"] = rng.normal(0, 0.6 / np.sqrt(rows), (MEMBERS, rows, columns))
        weights[f"{name}.bias"] = rng.normal(0, 0.2, (MEMBERS, 1, columns))
    weights["product_embedding"] = rng.normal(0, 0.7, (PRODUCTS + 1, SIZE))
    weights["event_convolution.kernel"] = rng.normal(0, 0.3, (3, SIZE + CHANNELS, FILTERS))
    weights["event_convolution.bias"] = rng.normal(0, 0.1, FILTERS)
    weights["demand"] = np.array([-1.0, 3.0, 1.0])
    return ServingNetwork({name: value.astype(np.float32) for name, value in weights.items()})


@pytest.fixture(scope="session")
def behavior() -> BehaviorModel:
    """Two random networks of two members, with calibrations that do something."""
    model = BehaviorModel()
    model.networks_ = [_network(1), _network(2)]
    rng = np.random.default_rng(3)
    model.calibrations_ = [
        CurveCalibration(rng.normal(0, 0.2, 4), rng.uniform(0.7, 1.3, 4), rng.uniform(0.8, 1.2, 4)) for _ in range(2)
    ]
    return model


def offers(n: int, seed: int) -> CostedBatch:
    """Random offers of five products."""
    rng = np.random.default_rng(seed)
    mask = (np.arange(LENGTH)[None] < rng.integers(1, LENGTH + 1, n)[:, None]).astype(np.float32)
    kind = np.eye(4)[rng.integers(0, 4, (n, LENGTH))]
    sequence = np.concatenate([kind, rng.uniform(0, 1, (n, LENGTH, 1)), rng.normal(size=(n, LENGTH, 3))], axis=-1)
    batch = EncodedBatch(
        **{name: rng.normal(size=(n, width)).astype(np.float32) for name, width in WIDTHS.items()},
        product_code=rng.integers(1, PRODUCTS + 1, n).astype(np.int32),
        sequence=(sequence * mask[:, :, None]).astype(np.float32),
        sequence_item=(rng.integers(1, PRODUCTS + 1, (n, LENGTH)) * mask).astype(np.int32),
        sequence_mask=mask,
        expected_price=rng.uniform(0.9, 1.1, n).astype(np.float32),
        groups=GROUPS,
        n_products=PRODUCTS,
    )
    return CostedBatch(batch, rng.uniform(0.3, 0.7, n))
