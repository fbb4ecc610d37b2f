"""Prices by segment: one per segment and product, within rules, never by protected attributes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pricing_core.errors import ConfigError
from pricing_core.guardrails import NO_GUARDRAILS, Guardrails
from pricing_core.optimize.posterior import posterior_profit
from pricing_core.optimize.segment_features import association, segment_features
from pricing_core.optimize.segment_words import change_words, feature_words, rule_words
from pricing_core.optimize.segments import NO_FEATURES, Segments
from pricing_core.optimize.settings import SegmentSettings, StrategySettings
from pricing_core.optimize.strategies import StrategyPrices, price_strategy
from pricing_core.optimize.tree_features import Split
from pricing_core.response import PriceResponse, PricingRows
from tests.pricing_cases import make_rows

SETTINGS = StrategySettings(segments=SegmentSettings(depth=2, min_leaf_rows=20))


def two_kinds(n: int = 240, **labels: Any) -> PricingRows:
    """App buyers are twice as price-sensitive as the others; gender goes along with the channel."""
    app = np.arange(n) % 4 < 2
    list_price = np.full(n, 10.0)
    sensitivity = np.where(app, 9.0, 4.0)[:, None] * np.ones((n, 4))
    response = PriceResponse(list_price, sensitivity - 1.0, sensitivity, np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3]))
    named = {
        "offers: channel": np.where(app, "app", "web").astype(object),
        "protected: gender": np.where(app, "f", "m").astype(object),
        "week": np.array(["2026-W01", "2026-W02"], dtype=object)[np.arange(n) // (n // 2)],
    } | labels
    return make_rows(
        n, 4, products=6, response=response, labels=named, list_price=list_price, current_price=list_price,
        unit_cost=np.full(n, 4.0), support_low=np.full(n, 6.0), support_high=np.full(n, 13.0),
    )  # fmt: skip


def segments_of(prices: StrategyPrices) -> Segments:
    return prices.details["segments"]


def test_the_kind_of_customer_decides_and_prices_are_the_best_on_the_grid_of_changes() -> None:
    rows = two_kinds()
    settings = StrategySettings(segments=SegmentSettings(depth=1, min_leaf_rows=20, base="list"))
    found = price_strategy("segment", rows, NO_GUARDRAILS, settings=settings)
    assert segments_of(found).asked == ("offers: channel",)
    app = rows.label("offers: channel") == "app"
    grid = np.round(10 * (1 + np.arange(-0.3, 0.301, 0.02)), 2)
    for kind in (app, ~app):
        one = rows.take(np.flatnonzero(kind)[:1])
        totals = [posterior_profit(one.response, np.array([p]), one.unit_cost)[0] for p in grid]
        assert set(found.price[kind]) == {grid[int(np.argmax(totals))]}
    assert set(found.segment[app]) == {"S1"} and set(found.segment[~app]) == {"S2"}
    assert "segment S1 (channel is app)" in found.reason[0]
    assert "below list" in found.reason[0]


def test_every_segment_and_product_has_one_price() -> None:
    rng = np.random.default_rng(0)
    rows = make_rows(600, labels={"customers: tier": rng.choice(["a", "b", "c"], 600).astype(object)})
    settings = StrategySettings(segments=SegmentSettings(depth=2, min_leaf_rows=20, min_gain_rate=0))
    found = price_strategy("segment", rows, Guardrails(endings=(49, 99)), settings=settings)
    table = pd.DataFrame({"s": found.segment, "p": rows.product_id, "price": found.price})[~found.held]
    assert (table.groupby(["s", "p"])["price"].nunique() == 1).all()
    assert table["s"].nunique() > 1
    assert np.isin(np.round(100 * table["price"]) % 100, (49, 99)).all()


def test_protected_attributes_and_the_week_are_never_asked_for() -> None:
    rows = two_kinds()
    assert list(segment_features(rows)) == ["category", "offers: channel"]
    blind = two_kinds(**{"offers: channel": np.full(240, "", dtype=object)})
    found = price_strategy("segment", blind, NO_GUARDRAILS, settings=SETTINGS)
    assert not any("gender" in name for name in segments_of(found).tree.features)
    app = rows.label("offers: channel") == "app"
    assert found.price[app].tolist() == found.price[~app].tolist()  # gender would tell them apart, and may not


def test_a_stand_in_for_a_protected_attribute_is_named() -> None:
    found = price_strategy("segment", two_kinds(), NO_GUARDRAILS, settings=SETTINGS)
    assert found.notes == (
        "Segments ask for channel, which goes along with gender (association 1.00 of 1): a price by it may treat "
        "protected groups differently.",
    )
    apart = two_kinds(**{"protected: gender": np.array(["f", "m"], dtype=object)[np.arange(240) % 2]})
    assert price_strategy("segment", apart, NO_GUARDRAILS, settings=SETTINGS).notes == ()


def test_a_feature_can_be_left_out() -> None:
    settings = StrategySettings(segments=SegmentSettings(min_leaf_rows=20, exclude=("offers: channel", "category")))
    found = price_strategy("segment", two_kinds(), NO_GUARDRAILS, settings=settings)
    assert found.notes == (NO_FEATURES,)
    assert set(found.segment) == {"S1"}


def test_without_segments_the_price_is_that_of_the_product() -> None:
    rows = make_rows(120)
    settings = StrategySettings(segments=SegmentSettings(depth=0))
    found = price_strategy("segment", rows, NO_GUARDRAILS, settings=settings)
    product = price_strategy("product", rows, NO_GUARDRAILS)
    np.testing.assert_allclose(found.price, product.price, atol=0.011)


def test_segments_are_personal_only_where_they_ask_about_the_customer() -> None:
    channel = price_strategy("segment", two_kinds(), NO_GUARDRAILS, settings=SETTINGS)
    assert channel.by_segment and not channel.personal
    tier = np.where(np.arange(240) % 4 < 2, "gold", "none").astype(object)
    unknown = np.full(240, "", dtype=object)
    rows = two_kinds(**{"offers: channel": unknown, "customers: tier": tier})
    assert price_strategy("segment", rows, NO_GUARDRAILS, settings=SETTINGS).personal


def test_labels_of_numbers_are_cut_at_thresholds() -> None:
    age = (20 + np.arange(240) % 40).astype(str).astype(object)
    features = segment_features(two_kinds(**{"customers: age": age}))
    assert pd.api.types.is_float_dtype(features["customers: age"])


def test_rules_read_as_a_person_says_them() -> None:
    gold = Split("customers: loyalty_tier", levels=("gold", "silver"), other_levels=("",))
    young = Split("customers: age", 35.0, unknown_left=True)
    older = Split("customers: age", 20.0, unknown_left=True)
    assert rule_words([(gold, True), (young, True)]) == (
        "loyalty tier is gold or silver and age is at most 35 or unknown"
    )
    assert rule_words([(young, True), (older, False)]) == "age is above 20 and at most 35"
    assert rule_words([(gold, False), (young, False)]) == "loyalty tier is unknown and age is above 35"
    assert rule_words([]) == "every offer"
    known = Split("mean spend", -np.inf, unknown_left=True)
    assert rule_words([(known, True)]) == "mean spend is unknown"
    assert rule_words([(known, False)]) == "mean spend is known"
    many = Split("brand", levels=tuple("abcdefg"), other_levels=("h",))
    assert rule_words([(many, True)]) == "brand is one of 7 (a, b, c, …)"
    assert change_words(-0.07, "list") == "7% below list"
    assert change_words(0.125, "today's price") == "12.5% above today's price"
    assert change_words(0.0, "list") == "at list"
    assert feature_words("products: pack_group") == "pack group"


def test_association_is_that_of_the_textbook() -> None:
    """Bias-corrected V of the table [[20, 30], [30, 20]]: chi² = 4, n = 100."""
    one = np.repeat([0, 0, 1, 1], [20, 30, 30, 20])
    other = np.repeat([0, 1, 0, 1], [20, 30, 30, 20])
    wanted = np.sqrt((0.04 - 1 / 99) / (2 - 1 / 99 - 1))
    assert association(one, other) == pytest.approx(wanted)
    assert association(one, np.zeros(100, dtype=np.int64)) == 0.0
    assert association(one, one) == pytest.approx(1.0)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"The depth of segments is 7\. It must be a whole number from 0 to 6\."):
        SegmentSettings(depth=7)
    with pytest.raises(ConfigError, match="base is 'cost'"):
        SegmentSettings(base="cost")
    with pytest.raises(ConfigError, match=r"Changes from 0\.1 to 0\.3 cannot be tried"):
        SegmentSettings(lowest_rate=0.1)
