"""A shop that knows its orders only, exported the way shops export: dirty. Its shelf prices and demand are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

SLIP = pd.date_range("2025-06-02", periods=7)


@dataclass(frozen=True)
class DirtyOrders:
    """``content`` of the file, and how often each kind of dirt is in it."""

    content: bytes
    lines: int
    duplicates: int
    cancellations: int
    without_customer: int
    far_off: int
    unreadable: int


def dirty_orders(seed: int = 3, n_customers: int = 350, n_weeks: int = 26) -> DirtyOrders:
    """Orders of customers who see weekly shelf prices of twelve products in two groups; semicolons, decimal commas.

    Dirt: repeated lines, cancelled invoices, lines without a customer, prices a hundred times too high, an order date
    that is none, a week with a mistyped price, an email column, and a title above the header.
    """
    rng = np.random.default_rng(seed)
    usual = np.round(rng.uniform(3, 12, 12), 2)
    price = np.round(usual * np.exp(rng.choice([-0.3, -0.15, 0.0, 0.1], (n_weeks, 12))), 2)
    slope, taste = rng.uniform(1.5, 4, n_customers), rng.normal(-1.2, 0.8, (n_customers, 12))
    rows = []
    for week in range(n_weeks):
        chance = 1 / (1 + np.exp(-(taste - slope[:, None] * (price[week] / usual - 1))))
        for customer, product in np.argwhere(rng.random(chance.shape) < chance):
            day = pd.Timestamp("2025-03-03") + pd.Timedelta(days=int(7 * week + rng.integers(0, 7)))
            rows.append((day, f"{customer:05d}", int(product), int(rng.integers(1, 3)), price[week, product]))
    # The till had product 3 at ten times its price for a week; customers were charged the price on the shelf.
    rows = [(*row[:4], 10 * row[4] if row[2] == 3 and row[0] in SLIP else row[4]) for row in rows]
    rows.sort(key=lambda row: row[0])
    lines = [
        [f"R{k:06d}", f"{day:%d.%m.%Y}", customer, f"00{product:02d}", "Tea" if product < 6 else "Coffee",
         str(units), _comma(units * unit), f"mail{customer}@example.com"]
        for k, (day, customer, product, units, unit) in enumerate(rows)
    ]  # fmt: skip
    kind = rng.permutation(len(lines))
    cancelled, nobody, far, unread, twice = np.split(kind[:90], [20, 40, 60, 70])
    extra = []
    for k in cancelled:
        number, *rest = lines[k]
        extra.append([f"C{number[1:]}", *rest[:4], f"-{rest[4]}", f"-{rest[5]}", rest[6]])
    for k in nobody:
        lines[k][2] = ""
    for k in far:
        lines[k][6] = _comma(100 * float(lines[k][6].replace(".", "").replace(",", ".")))
    for k in unread:
        lines[k][1] = "unknown"
    extra += [list(lines[k]) for k in twice]
    header = ["Invoice No", "Order date", "Customer", "Article", "Category", "Quantity", "Line total", "Contact"]
    text = "\r\n".join(";".join(line) for line in ([header, *lines, *extra]))
    return DirtyOrders(
        ("Orders of the year" + ";" * (len(header) - 1) + "\r\n" + text + "\r\n").encode("cp1252"),
        len(lines) + len(extra), len(twice), len(cancelled), len(nobody), len(far), len(unread),
    )  # fmt: skip


def _comma(value: float) -> str:
    """Write money with a decimal comma and dots between thousands."""
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))
