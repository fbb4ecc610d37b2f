"""Small encoded batches, and shops as data sets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pricing_core.data.dataset import Dataset, DatasetManifest
from pricing_core.data.demo_shop import DemoShop
from pricing_core.features import EncodedBatch

Floats = NDArray[np.float64]


@pytest.fixture(scope="session")
def batch_of() -> Callable[..., EncodedBatch]:
    """Build a batch of random features: ``batch_of(n, seed)``; keyword arguments replace its arrays."""

    def build(n: int, seed: int = 0, *, n_products: int = 5, length: int = 6, **replaced: Floats) -> EncodedBatch:
        rng = np.random.default_rng(seed)
        mask = (np.arange(length)[None, :] < rng.integers(0, length + 1, n)[:, None]).astype(np.float32)
        kind = rng.integers(0, 4, (n, length))
        sequence = np.concatenate([np.eye(4)[kind], rng.standard_normal((n, length, 4))], axis=-1)
        arrays = {
            "customer": rng.standard_normal((n, 4)),
            "product": rng.standard_normal((n, 3)),
            "market": rng.standard_normal((n, 2)),
            "product_code": rng.integers(0, n_products + 1, n).astype(np.int32),
            "sequence": sequence * mask[:, :, None],
            "sequence_item": (rng.integers(0, n_products + 1, (n, length)) * mask).astype(np.int32),
            "sequence_mask": mask,
            "expected_price": rng.uniform(0.8, 1.2, n),
        }
        arrays |= replaced
        whole = ("product_code", "sequence_item")
        arrays = {k: v if k in whole else np.asarray(v, dtype=np.float32) for k, v in arrays.items()}
        widths = {b: arrays[b].shape[1] for b in ("customer", "product", "market")}
        groups = [(f"{b} {i}", b, (i,)) for b, width in widths.items() for i in range(width)]
        groups += [("product identity", "product_code", ()), ("recent events", "sequence", ())]
        return EncodedBatch(**arrays, groups=tuple(groups), n_products=n_products)  # type: ignore[arg-type]

    return build


@pytest.fixture(scope="session")
def as_dataset() -> Callable[..., Dataset]:
    """Make a data set of a demo shop's tables; keyword arguments replace tables."""

    def convert(shop: DemoShop, **replaced: object) -> Dataset:
        return Dataset(**{**shop.tables, **replaced}, manifest=DatasetManifest("demo", "test"))  # type: ignore[arg-type]

    return convert
