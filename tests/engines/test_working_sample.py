"""A large data set is worked on by whole customers, without a trace of the sampling in any feature."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pricing_core.data.dataset import Dataset, sample_words
from pricing_core.engines import working_sample
from pricing_core.features import build_features
from pricing_core.pricelist import history
from pricing_core.store import datasets, working_samples
from pricing_core.store.workspace import Workspace

from .large_shop import random_shop, saved


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """An empty workspace in which a thousand offers are many, and six hundred are worked on."""
    monkeypatch.setattr(working_samples, "LARGE_OFFERS", 1_000)
    monkeypatch.setattr(working_samples, "SAMPLE_OFFERS", 600)
    return Workspace(tmp_path / "shop")


def test_a_small_data_set_is_opened_as_a_whole(ws: Workspace) -> None:
    dataset = random_shop(900)
    opened = datasets.load_dataset(ws, saved(ws, dataset))
    assert opened.sample is None
    pd.testing.assert_frame_equal(opened.offers, dataset.offers)


def test_a_sample_holds_whole_customers_and_says_how_many(ws: Workspace) -> None:
    dataset = random_shop()
    opened = datasets.load_dataset(ws, saved(ws, dataset))
    assert opened.sample is not None
    chosen = set(opened.offers["customer_id"])
    own = dataset.offers[dataset.offers["customer_id"].isin(chosen)].reset_index(drop=True)
    pd.testing.assert_frame_equal(opened.offers, own)
    assert dataset.events is not None and opened.events is not None
    events = dataset.events[dataset.events["customer_id"].isin(chosen)].reset_index(drop=True)
    pd.testing.assert_frame_equal(opened.events, events)
    counts = opened.sample.to_dict()
    assert counts == {
        "offers": len(own), "offers_there": 3_000, "customers": len(chosen), "left_out": 0, "seed": 0,
        "customers_there": dataset.offers["customer_id"].nunique(),
    }  # fmt: skip
    assert 500 < len(own) <= 600
    assert sample_words(counts) == f"{len(own)} of 3,000 offers: {len(chosen)} of 200 customers"


def test_the_whole_data_set_can_be_asked_for(ws: Workspace) -> None:
    dataset = random_shop()
    opened = datasets.load_dataset(ws, saved(ws, dataset), whole=True)
    pd.testing.assert_frame_equal(opened.offers, dataset.offers)


def test_other_names_of_the_customers_choose_the_same_rows(ws: Workspace, tmp_path: Path) -> None:
    dataset = random_shop()
    first = datasets.load_dataset(ws, saved(ws, dataset))
    ids = dataset.offers["customer_id"]
    renamed = dataset.offers.assign(customer_id="z" + (9_999 - ids.str[:4].astype(int)).astype(str))
    other = Workspace(tmp_path / "other")
    second = datasets.load_dataset(other, saved(other, replace(dataset, offers=renamed)))
    rows = ["product_id", "offered_at", "price", "purchased", "weather"]
    pd.testing.assert_frame_equal(first.offers[rows], second.offers[rows])


@pytest.mark.parametrize("list_price", [True, False])
@pytest.mark.parametrize("purchase_events", [True, False])
def test_features_of_the_sample_are_those_of_the_whole_log(
    ws: Workspace, list_price: bool, purchase_events: bool
) -> None:
    dataset = random_shop(list_price=list_price)
    assert dataset.events is not None
    if not purchase_events:
        events = dataset.events[dataset.events["event_type"] != "purchase"].reset_index(drop=True)
        dataset = replace(dataset, events=events)
    opened = datasets.load_dataset(ws, saved(ws, dataset))
    _check_equal(opened, dataset, opened.offers)
    later = opened.offers.tail(40).assign(offered_at=dataset.offers["offered_at"].max() + pd.Timedelta(days=20))
    _check_equal(opened, dataset, later)


def test_customers_outside_the_sample_are_priced_by_their_own_history(ws: Workspace) -> None:
    dataset = random_shop()
    dataset_id = saved(ws, dataset)
    opened = datasets.load_dataset(ws, dataset_id)
    asked = dataset.offers.tail(60).assign(offered_at=dataset.offers["offered_at"].max() + pd.Timedelta(hours=1))
    asked = asked.reset_index(drop=True)
    assert 10 < asked["customer_id"].isin(set(opened.offers["customer_id"])).sum() < 30
    known = datasets.with_histories(ws, dataset_id, opened, asked["customer_id"])
    _check_equal(known, dataset, asked)
    stranger = pd.Series(["nobody has this id"])
    assert len(datasets.with_histories(ws, dataset_id, opened, stranger).histories) == len(opened.offers)


def test_longer_spans_do_not_distort_the_history_of_products(ws: Workspace, tmp_path: Path) -> None:
    dataset = random_shop(6_000)
    folder = datasets.folder_of(ws, saved(ws, dataset))
    facts = working_sample.draw_sample(folder, tmp_path, offers=600, seed=0, shop_rows=2_000)
    assert facts["span_seconds"] == 86_400
    exact = datasets.load_dataset(ws)
    assert exact.sample is not None
    shop = replace(exact.sample.shop, offers=pd.read_parquet(tmp_path / "shop_offers.parquet"))
    assert len(shop.offers) < 1_000
    coarse = replace(exact, sample=replace(exact.sample, shop=shop))
    late = exact.offers["offered_at"] > exact.offers["offered_at"].min() + pd.Timedelta(days=35)
    asked = exact.offers[late]
    fine, rough = (build_features(each, asked).frame for each in (exact, coarse))
    for name in ("product conversion, 4 weeks", "product sales, 4 weeks", "shop conversion, 4 weeks"):
        error = (fine[name] - rough[name]).abs()
        assert error.mean() < 0.05, name  # of logarithms: less than 5 percent
    # What happens on the day of an offer, or later, never counts.
    changed = dataset.offers.assign(purchased=dataset.offers["purchased"].where(dataset.offers.index < 5_000, 1))
    other = Workspace(tmp_path / "other")
    place = tmp_path / "changed"
    place.mkdir()
    folder = datasets.folder_of(other, saved(other, replace(dataset, offers=changed)))
    working_sample.draw_sample(folder, place, offers=600, seed=0, shop_rows=2_000)
    until = dataset.offers["offered_at"][5_000]
    tables = [pd.read_parquet(each / "shop_offers.parquet") for each in (tmp_path, place)]
    before = [table[table["second"] < until.timestamp() - 86_400].reset_index(drop=True) for table in tables]
    pd.testing.assert_frame_equal(*before)


def test_an_account_with_too_many_offers_is_left_out_and_counted(ws: Workspace) -> None:
    dataset = random_shop()
    guest = dataset.offers["customer_id"].where(dataset.offers.index % 5 > 0, "guest")
    opened = datasets.load_dataset(ws, saved(ws, replace(dataset, offers=dataset.offers.assign(customer_id=guest))))
    assert opened.sample is not None
    assert opened.sample.left_out == 1
    assert "guest" not in set(opened.offers["customer_id"])
    assert "(1 with too many offers for a sample left out)" in sample_words(opened.sample.to_dict())


def test_the_sample_is_drawn_once(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset_id = saved(ws, random_shop())
    first = datasets.load_dataset(ws, dataset_id)
    monkeypatch.setattr(working_samples, "draw_sample", None)
    pd.testing.assert_frame_equal(datasets.load_dataset(ws, dataset_id).offers, first.offers)
    assert not list(ws.temp_dir.iterdir())


def _check_equal(sampled: Dataset, whole: Dataset, asked: pd.DataFrame) -> None:
    """The features of the offers asked for are the same from the sample as from the whole data set."""
    ours, theirs = (build_features(each, asked) for each in (sampled, whole))
    pd.testing.assert_frame_equal(ours.frame, theirs.frame)
    pd.testing.assert_series_equal(pd.Series(ours.base_price), pd.Series(theirs.base_price))


def test_lowest_prices_are_those_of_the_log_of_all_customers(ws: Workspace) -> None:
    dataset = random_shop()
    folder = datasets.folder_of(ws, saved(ws, dataset))
    offers = dataset.offers
    log = pd.DataFrame({"product_id": offers["product_id"], "at": offers["offered_at"], "price": offers["price"]})
    nothing = pd.DataFrame({"product_id": [], "lowest_price": [], "start": [], "end": []})
    nothing = nothing.assign(**{name: pd.to_datetime(nothing[name], utc=True) for name in ("start", "end")})
    for start in (log["at"][1_500], log["at"].max() + pd.Timedelta(days=9), log["at"].max() + pd.Timedelta(days=99)):
        few = working_sample.lowest_prices(folder, since=start - pd.Timedelta(days=30), before=start, days=30)
        assert len(few) <= 2 * 12 + 1
        ours, theirs = (history.prior_prices(each, nothing, start) for each in (few, log))
        pd.testing.assert_series_equal(ours, theirs)
