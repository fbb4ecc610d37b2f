"""How long it takes to hand over a price list of 100,000 prices in each format, checks and undo included.

``python benchmarks/exports.py``; ``--quick`` takes a tenth of the rows. What a user would write otherwise is
``pandas.DataFrame.to_csv``, and ``to_excel`` for a workbook: neither has exact amounts, checks, or text that no
spreadsheet runs. The round trip is timed on a shop's own export of as many rows with quoted texts.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.tables import print_table
from pricing_core.pricelist.build import COLUMNS
from pricing_core.pricelist.formats import FORMATS, ExportOptions, write
from pricing_core.pricelist.preflight import preflight
from pricing_core.pricelist.roundtrip import rewrite
from pricing_core.pricelist.undo import undo_file


def price_list(rows: int, seed: int = 0) -> pd.DataFrame:
    """Native price list with one price per product."""
    rng = np.random.default_rng(seed)
    current = rng.uniform(1, 200, rows).round(2)
    new = (current * rng.uniform(0.8, 1.1, rows)).round(2)
    frame = pd.DataFrame(
        {
            "price_list_id": "p0001", "version": 1, "status": "Approved",
            "product_id": [f"SKU-{k:06d}" for k in range(rows)], "currency": "USD",
            "current_price": current, "new_price": new, "change_rate": new / current - 1,
            "unit_cost": (current * 0.6).round(2), "margin_rate": 1 - 0.6 * current / new,
            "floor_price": (current * 0.7).round(2), "ceiling_price": (current * 1.2).round(2),
            "prior_price_30d": (current * 0.95).round(2),
            "effective_from": pd.Timestamp("2026-11-25", tz="UTC"), "expected_conversion_rate": rng.random(rows),
            "expected_profit": rng.normal(1, 1, rows), "profit_low": rng.normal(0, 1, rows),
            "profit_high": rng.normal(2, 1, rows), "evidence": rng.choice(["measured", "borrowed"], rows),
            "reason": rng.choice(["Buyers here react little to price.", "Cut to win price-sensitive buyers."], rows),
            "disclosure_required": False, "model_version": "r0001", "approved_by": "Kim",
            "approved_at": pd.Timestamp("2026-11-24", tz="UTC"),
        }
    )  # fmt: skip
    return frame.reindex(columns=list(COLUMNS))


def own_export(frame: pd.DataFrame) -> bytes:
    """A shop's own export with these products, twenty columns and descriptions in quotes."""
    table = pd.DataFrame(
        {
            "Title": "Product", "URL handle": frame["product_id"].str.lower(),
            "Description": '<p>It is "good",\nand large</p>', **{f"Metafield {k}": "text" for k in range(12)},
            "SKU": frame["product_id"], "Price": frame["current_price"].map("{:.2f}".format),
            "Compare-at price": "", "Cost per item": "", "Status": "active",
        }
    )  # fmt: skip
    return table.to_csv(index=False).encode()


def seconds(action: Callable[[], Any]) -> float:
    """Wall-clock seconds of one run."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    rows = 10_000 if "--quick" in sys.argv else 100_000
    frame = price_list(rows)
    options = ExportOptions(id_as_title=True)
    table = []
    for name, form in FORMATS.items():
        size = len(write(name, frame, currency="USD", options=options).data)
        times = [
            seconds(lambda name=name: preflight(name, frame, currency="USD", options=options)),
            seconds(lambda name=name: write(name, frame, currency="USD", options=options)),
            seconds(lambda name=name: undo_file(name, frame, currency="USD", options=options)),
        ]
        table.append([form.label, *(f"{each:.2f}" for each in times), f"{size / 1e6:.1f}"])
    source = own_export(frame)
    taken = seconds(lambda: rewrite("shopify", frame, source, currency="USD", options=options))
    table.append(["Shopify, own export back", "–", f"{taken:.2f}", "–", f"{len(source) / 1e6:.1f}"])
    csv = seconds(lambda: frame.to_csv(index=False))
    table.append(["pandas.to_csv", "–", f"{csv:.2f}", "–", f"{len(frame.to_csv(index=False)) / 1e6:.1f}"])
    plain = frame.assign(**{c: frame[c].dt.tz_localize(None) for c in ("effective_from", "approved_at")})
    target = io.BytesIO()
    excel = seconds(lambda: plain.to_excel(target, index=False))
    table.append(["pandas.to_excel (openpyxl)", "–", f"{excel:.2f}", "–", f"{len(target.getvalue()) / 1e6:.1f}"])
    columns = ["format", "checks (s)", "file (s)", "undo file (s)", "size (MB)"]
    print_table(f"Handing over {rows:,} prices", columns, table)


if __name__ == "__main__":
    main()
