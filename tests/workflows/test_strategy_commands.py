"""Segments, markdowns, the value ladder and a strategy of the shop's own, from files to files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.cli import main
from pricing_core.optimize import registry
from pricing_core.optimize.settings import MarkdownSettings, SegmentSettings, StrategySettings
from pricing_core.store import pricelists
from pricing_core.store.workspace import Workspace

OWN = """
class Weekly:
    name = "two_percent"
    label = "Two percent off"
    personal = False

    def propose(self, task):
        return task.propose(0.98 * task.rows.current_price, "two percent off")
"""


@pytest.fixture
def ws(trained, tmp_path) -> Workspace:
    shutil.copytree(trained.workspace, tmp_path / "ws")
    yield Workspace.open(tmp_path / "ws")
    registry.load_strategies(tmp_path / "nowhere")


def run(name: str, ws: Workspace, out: Path, *more: str) -> pd.DataFrame:
    assert main([name, "--workspace", str(ws.root), "--out", str(out), *more]) == 0
    return pd.read_csv(out, dtype={"product_id": str})


def test_segments_come_with_their_rules_and_what_each_depth_keeps(ws, tmp_path):
    shares = tmp_path / "shares.csv"
    table = run("segments", ws, tmp_path / "s.csv", "--depth", "2", "--min-offers", "40", "--shares", str(shares))
    assert list(table.columns) == ["segment", "rule", "change_rate", "words", "rows", "share"]
    assert table["share"].sum() == pytest.approx(1) and len(table) <= 4 and (table["rows"] >= 40).all()
    kept = pd.read_csv(shares)
    assert kept["depth"].tolist() == [0, 1, 2, 3, 4] and (kept["share"] < 1.02).all()


def test_the_price_list_has_a_row_for_each_segment_and_product(ws):
    segments = SegmentSettings(depth=1, min_leaf_rows=40, min_gain_rate=0)
    workflows.choose_settings(ws, StrategySettings(segments=segments))
    priced = workflows.price(ws, "segment")
    frame = workflows.load_run(ws).targets.assign(segment=priced.prices.segment)
    list_id = workflows.make_price_list(ws, "segment")
    listed = pricelists.load_price_list(ws, list_id).current
    wanted = frame.groupby(["product_id", "segment"]).ngroups
    assert len(listed) == wanted == len(listed[["product_id", "segment_id"]].drop_duplicates())
    assert listed["customer_id"].isna().all() and set(listed["segment_id"]) == set(frame["segment"])


def test_a_markdown_lists_every_week_of_every_product_with_stock(ws, tmp_path):
    table = run("markdown", ws, tmp_path / "m.csv", "--weeks", "3")
    assert (table.groupby("product_id")["week"].apply(list).map(tuple) == (1, 2, 3)).all()
    assert (table.groupby("product_id")["price"].diff().dropna() <= 1e-9).all()


def test_the_ladder_names_every_step(ws, tmp_path, capsys):
    table = run("value-ladder", ws, tmp_path / "l.csv")
    assert table["strategy"].tolist() == [
        "status_quo", "uniform", "product", "segment", "personalized_discount", "personalized",
    ]  # fmt: skip
    assert table["step"].sum() == pytest.approx(table["gain"].iloc[-1])
    assert capsys.readouterr().out.splitlines()[0].endswith(".")


def test_a_file_in_the_workspace_is_a_strategy_everywhere(ws, tmp_path, capsys):
    (ws.root / "strategies").mkdir()
    (ws.root / "strategies" / "mine.py").write_text(OWN, encoding="utf-8")
    (ws.root / "strategies" / "broken.py").write_text("import nothing_there\n", encoding="utf-8")
    assert main(["strategies", "--workspace", str(ws.root)]) == 0
    said = capsys.readouterr()
    assert "two_percent: Two percent off (own)" in said.out
    assert "note: The strategy file broken.py was left out: ModuleNotFoundError" in said.err
    priced = run("price", ws, tmp_path / "p.csv", "--strategy", "two_percent")
    assert priced["reason"].str.contains("two percent off").any()
    result = workflows.simulate(ws, ["status_quo", "two_percent"])
    assert set(result.table["strategy"]) == {"status_quo", "two_percent", "uniform"}


def test_settings_of_segments_and_markdowns_last(ws):
    chosen = StrategySettings(segments=SegmentSettings(depth=1, exclude=("brand",)), markdown=MarkdownSettings(weeks=5))
    workflows.choose_settings(ws, chosen)
    assert workflows.chosen_settings(Workspace.open(ws.root)) == chosen
    run_ = workflows.load_run(ws)
    pace = workflows.settings_for(run_, ["markdown"]).markdown.offers_per_week
    assert pace is not None and 10 < pace < 10_000
    assert workflows.settings_for(run_, ["uniform"]).markdown.offers_per_week is None


def test_a_few_offers_get_the_segment_and_the_markup_that_they_have_among_all(ws):
    segments = SegmentSettings(depth=2, min_leaf_rows=40, min_gain_rate=0)
    workflows.choose_settings(ws, StrategySettings(segments=segments))
    few = [3, 150, 200]
    targets = workflows.load_run(ws).targets.iloc[few].reset_index(drop=True)
    among_all = workflows.price(ws, "segment").frame
    assert among_all["segment_id"].nunique() > 1
    alone = workflows.price(ws, "segment", targets=targets)
    assert alone.frame["segment_id"].tolist() == among_all["segment_id"].iloc[few].tolist()
    # The price itself also rests on the product's best single price, which few offers tell otherwise than all do.
    words, among = (
        [reason.partition(": ")[2].partition(";")[0] for reason in found]
        for found in (alone.frame["reason"], among_all["reason"].iloc[few])
    )
    assert all(words) and words == among
    marked_up = [workflows.price(ws, "cost_plus", targets=given).frame["reason"] for given in (targets, None)]
    assert marked_up[0].tolist() == marked_up[1].iloc[few].tolist()
