"""Encoding: numbers, categories, sequences, and mixing of batches."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pricing_core.data.dataset import Dataset
from pricing_core.errors import ModelError
from pricing_core.features import EncodedBatch, FeatureEncoder, build_features
from pricing_core.features.sequence import CHANNELS

Shop = Callable[..., Dataset]


def encoded(dataset: Dataset) -> EncodedBatch:
    table = build_features(dataset)
    return FeatureEncoder().fit(table).transform(table)


def test_recent_events_come_newest_first_and_masked(shop: Shop) -> None:
    dataset = shop()
    assert dataset.events is not None
    table = build_features(dataset)
    encoder = FeatureEncoder(sequence_length=8).fit(table)
    batch = encoder.transform(table)
    category = dict(zip(dataset.products["product_id"], dataset.products["category"], strict=True))  # type: ignore[index]
    for index in range(0, 300, 5):
        offer = dataset.offers.iloc[index]
        mine = dataset.events[dataset.events["customer_id"] == offer["customer_id"]]
        mine = mine[mine["occurred_at"].dt.floor("s") < offer["offered_at"].floor("s")]
        mine = mine.sort_values("occurred_at", ascending=False).head(8)
        assert batch.sequence_mask[index].tolist() == [1.0] * len(mine) + [0.0] * (8 - len(mine))
        assert (batch.sequence[index, len(mine) :] == 0).all() and (batch.sequence_item[index, len(mine) :] == 0).all()
        for place, (_, event) in enumerate(mine.iterrows()):
            value = dict(zip(CHANNELS, batch.sequence[index, place], strict=True))
            assert [k for k in CHANNELS[:4] if value[k] == 1] == [event["event_type"]]
            days = (offer["offered_at"].floor("s") - event["occurred_at"].floor("s")).total_seconds() / 86_400
            assert value["log days ago"] == pytest.approx(np.log1p(days) / 3, abs=1e-5)
            assert value["same product"] == (event["product_id"] == offer["product_id"])
            assert value["same category"] == (category[event["product_id"]] == category[offer["product_id"]])
            assert encoder.products_[batch.sequence_item[index, place] - 1] == event["product_id"]


def test_a_customer_without_events_does_not_spoil_the_sequence_of_the_log(shop: Shop) -> None:
    # The only event lies long after the offers: its age would be the logarithm of a negative number.
    dataset = shop()
    late = dataset.offers["offered_at"].max() + pd.Timedelta(days=900)
    events = pd.DataFrame(
        {
            "customer_id": ["0001"],
            "product_id": ["p1"],
            "occurred_at": [late],
            "event_type": ["purchase"],
            "rating": [np.nan],
        }
    )
    batch = encoded(replace(dataset, events=events))
    assert (batch.sequence == 0).all() and (batch.sequence_mask == 0).all()


def test_numbers_are_standardized_and_missing_ones_marked(shop: Shop) -> None:
    dataset = shop()
    size = np.random.default_rng(1).normal(50, 7, 300)
    size[:30] = np.nan
    batch = encoded(replace(dataset, offers=dataset.offers.assign(size=size)))
    columns = list(next(g for g in batch.groups if g[0] == "size")[2])
    value, missing = batch.market[:, columns].T
    np.testing.assert_allclose(value[30:], (size[30:] - size[30:].mean()) / size[30:].std(), atol=1e-5)
    assert (value[:30] == 0).all()
    np.testing.assert_array_equal(missing, np.isnan(size))


def test_values_beyond_six_standard_deviations_are_held_there_and_counted(shop: Shop) -> None:
    dataset = shop()
    size = np.random.default_rng(1).normal(0, 1, 300)
    size[[4, 8]] = 100.0, -100.0
    table = build_features(replace(dataset, offers=dataset.offers.assign(size=size)))
    encoder = FeatureEncoder().fit(table)
    assert encoder.clipped_["size"] == 2
    batch = encoder.transform(table)
    column = next(g for g in batch.groups if g[0] == "size")[2][0]
    assert batch.market[[4, 8], column].tolist() == [6.0, -6.0]
    assert (np.abs(np.delete(batch.market[:, column], [4, 8])) < 6).all()
    # Other rows are counted by the spread of the training rows.
    asked = dataset.offers.head(3).assign(size=[0.0, 500.0, np.nan])
    assert encoder.count_clipped(build_features(dataset_with_size(dataset), asked))["size"] == 1


def dataset_with_size(dataset: Dataset) -> Dataset:
    return replace(dataset, offers=dataset.offers.assign(size=np.random.default_rng(1).normal(0, 1, 300)))


def test_features_that_never_vary_are_left_out_and_named(shop: Shop) -> None:
    dataset = shop()
    assert dataset.products is not None
    table = build_features(replace(dataset, products=dataset.products.drop(columns="stock")))
    encoder = FeatureEncoder().fit(table)
    assert "supply–demand pressure" in encoder.constant_
    assert "supply–demand pressure" not in encoder.transform(table).feature_names


def test_mixing_all_groups_of_the_other_batch_gives_the_other_batch(shop: Shop) -> None:
    batch = encoded(shop())
    batch = batch.with_expected_price(np.linspace(0.5, 1.5, batch.n).astype(np.float32))
    one, other = batch.take(np.arange(0, 150)), batch.take(np.arange(150, 300))
    groups = len(batch.feature_names)
    assert same(one.mix(other, np.ones((150, groups), bool)), one)
    assert same(one.mix(other, np.zeros((150, groups), bool)), other)
    mask = np.random.default_rng(0).random((150, groups)) < 0.5
    mixed = one.mix(other, mask)
    assert not same(mixed, one) and not same(mixed, other)
    # Putting the exchanged groups back gives each batch again.
    assert same(mixed.mix(one, mask), one)
    assert same(other.mix(mixed, mask), other)
    assert same(mixed.mix(other, ~mask), other)
    # The inputs are untouched.
    assert same(one, batch.take(np.arange(0, 150))) and same(other, batch.take(np.arange(150, 300)))


def test_mixing_exchanges_exactly_the_chosen_group(shop: Shop) -> None:
    batch = encoded(shop())
    one, other = batch.take(np.arange(0, 150)), batch.take(np.arange(150, 300))
    place = batch.feature_names.index("recent events")
    mask = np.ones((150, len(batch.feature_names)), bool)
    mask[:, place] = False
    mixed = one.mix(other, mask)
    np.testing.assert_array_equal(mixed.sequence, other.sequence)
    np.testing.assert_array_equal(mixed.sequence_item, other.sequence_item)
    np.testing.assert_array_equal(mixed.matrix(), one.matrix())


def same(one: EncodedBatch, other: EncodedBatch) -> bool:
    names = ("customer", "product", "market", "product_code", "sequence", "sequence_item", "sequence_mask")
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in (*names, "expected_price"))


def test_every_column_belongs_to_one_group(shop: Shop) -> None:
    batch = encoded(shop())
    for block in ("customer", "product", "market"):
        columns = [c for _, b, cs in batch.groups if b == block for c in cs]
        assert columns == list(range(getattr(batch, block).shape[1]))


def test_the_encoder_survives_json(shop: Shop) -> None:
    table = build_features(shop())
    encoder = FeatureEncoder().fit(table)
    again = FeatureEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    assert same(again.transform(table), encoder.transform(table))
    assert (again.clipped_, again.constant_) == (encoder.clipped_, encoder.constant_)


def test_the_order_of_rows_does_not_change_the_encoding(shop: Shop) -> None:
    dataset = shop()
    order = np.random.default_rng(3).permutation(300)
    shuffled = replace(dataset, offers=dataset.offers.iloc[order])
    one, other = encoded(dataset), encoded(shuffled)
    np.testing.assert_allclose(one.take(order).matrix(), other.matrix(), atol=1e-5)
    np.testing.assert_array_equal(one.take(order).sequence_item, other.sequence_item)


def test_an_encoder_that_was_not_fitted_says_so(shop: Shop) -> None:
    with pytest.raises(ModelError, match=r"The feature encoder has not been fitted\. Call fit first\."):
        FeatureEncoder().transform(build_features(shop()))
