# ruff: noqa: E501  (the expected messages are long)
"""A corpus of files as shops export them: one small shop, written in many ways, with what has to come out.

:func:`corpus` makes every file from :func:`offers_rows`. A *good* file must give exactly the rows of the shop
(``set_aside`` names the other rows, by their number in the file); a *refused* one must give exactly the message.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

HEADER = ["customer_id", "product_id", "offered_at", "price", "purchased"]
CHINESE = ["客户编号", "商品编号", "报价时间", "售价", "是否购买"]
GERMAN = ["Kundennummer", "Artikelnummer", "Datum", "Verkaufspreis", "gekauft"]
Row = list[str]


@dataclass(frozen=True)
class Nasty:
    """One file: its name and content (or several), how to import it, and what must come of it."""

    label: str
    files: list[tuple[bytes, str]]
    options: dict[str, Any] = field(default_factory=dict)
    mapping: dict[str, str] = field(default_factory=dict)
    set_aside: tuple[int, ...] = ()
    refused: str = ""
    note: str = ""


def offers_rows() -> list[dict[str, Any]]:
    """Forty offers of 4 products to 8 customers: ids with leading zeros, prices above and below 1,000, both outcomes."""
    rows = []
    for k in range(40):
        price = [9.99, 1249.5, 12.49, 3.05][k % 4] * (1.1 if k % 3 == 0 else 1.0)
        rows.append(
            {
                "customer_id": f"00{k % 8}7",
                "product_id": f"0{k % 4}-A",
                "offered_at": datetime(2025, 1, 13, 8, 30, tzinfo=UTC) + timedelta(days=k // 2, minutes=k % 2),
                "price": round(price, 2),
                "purchased": int(k % 5 in (0, 2)),
            }
        )
    return rows


def expected() -> pd.DataFrame:
    """The shop as canonical columns, sorted."""
    return pd.DataFrame(offers_rows())


def as_text(
    *,
    time: Callable[[datetime], str] = lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ"),
    price: Callable[[float], str] = lambda p: f"{p:.2f}",
    flag: Callable[[int], str] = str,
) -> list[Row]:
    """Rows of text cells, without header."""
    return [
        [r["customer_id"], r["product_id"], time(r["offered_at"]), price(r["price"]), flag(r["purchased"])]
        for r in offers_rows()
    ]


def csv(
    rows: list[Row], header: list[str] | None = None, *, sep: str = ",", end: str = "\n", quote: bool = False
) -> str:
    """Delimited text."""

    def cell(text: str) -> str:
        needs = quote or any(mark in text for mark in (sep, '"', "\n", "\r"))
        return '"' + text.replace('"', '""') + '"' if needs else text

    lines = ([HEADER if header is None else header] if header != [] else []) + rows
    return "".join(sep.join(map(cell, line)) + end for line in lines)


def german(price: float) -> str:
    """1.249,50"""
    return f"{price:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")


def good(label: str, text: str | bytes, name: str = "offers.csv", **more: Any) -> Nasty:
    """A file that must give the shop."""
    return Nasty(label, [(text if isinstance(text, bytes) else text.encode(), name)], **more)


def refused(label: str, content: bytes, message: str, name: str = "offers.csv", **more: Any) -> Nasty:
    """A file that must be refused with a message."""
    return Nasty(label, [(content, name)], refused=message, **more)


def corpus() -> list[Nasty]:
    """Every file of the corpus."""
    return [*_delimiters(), *_encodings(), *_numbers(), *_times(), *_flags(), *_headers(), *_rows(), *_packed(),
            *_typed(), *_refused()]  # fmt: skip


def _delimiters() -> Iterator[Nasty]:
    rows = as_text()
    for words, sep in (("comma", ","), ("semicolon", ";"), ("tab", "\t"), ("pipe", "|")):
        yield good(f"delimiter {words}", csv(rows, sep=sep))
    yield good("tab with the ending tsv", csv(rows, sep="\t"), "offers.tsv")
    yield good("sep= line of Excel", "sep=;\r\n" + csv(rows, sep=";", end="\r\n"))
    yield good("delimiter at the end of every line", "\n".join(line + ";" for line in csv(rows, sep=";").splitlines()),
               note="1 empty column without a name left out.")  # fmt: skip
    yield good("Windows line ends", csv(rows, end="\r\n"))
    yield good("all cells quoted", csv(rows, quote=True))
    yield good("no newline at the end", csv(rows).rstrip("\n"))


def _encodings() -> Iterator[Nasty]:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"):
        yield good(
            f"Chinese headers in {encoding}", csv(as_text(flag=lambda f: "是" if f else "否"), CHINESE).encode(encoding)
        )
    header = ["Käufer", "Stück-Nr", "Datum", "Preis €", "gekauft"]
    mapping = {"customer_id": "Käufer", "product_id": "Stück-Nr", "price": "Preis €"}
    yield good("accents in cp1252", csv(as_text(price=german), header, sep=";").encode("cp1252"), mapping=mapping)


def _numbers() -> Iterator[Nasty]:
    plain: dict[str, Callable[[float], str]] = {
        "decimal comma": lambda p: f"{p:.2f}".replace(".", ","),
        "decimal comma with thousands points": german,
        "thousands commas": lambda p: f"{p:,.2f}",
        "thousands blanks": lambda p: f"{p:,.2f}".replace(",", " "),
        "narrow no-break blanks": lambda p: f"{p:,.2f}".replace(",", "\u202f"),
        "Swiss apostrophes": lambda p: f"{p:,.2f}".replace(",", "'"),
        "dollar signs": lambda p: f"${p:,.2f}",
        "euro behind": lambda p: f"{german(p)} €",
        "currency codes": lambda p: f"EUR {p:.2f}",
        "yuan": lambda p: f"¥{p:.2f}元",
        "full-width digits": lambda p: f"{p:.2f}".translate(str.maketrans("0123456789.", "０１２３４５６７８９．")),
        "blanks around": lambda p: f"  {p:.2f} ",
        "scientific": lambda p: f"{p:.6e}",
    }
    for label, write in plain.items():
        yield good(label, csv(as_text(price=write), sep=";"))


def _times() -> Iterator[Nasty]:
    local: dict[str, Callable[[datetime], str]] = {
        "day first with points": lambda t: t.strftime("%d.%m.%Y %H:%M"),
        "day first with slashes": lambda t: t.strftime("%d/%m/%Y %H:%M"),
        "month first with am and pm": lambda t: t.strftime("%m/%d/%Y %I:%M %p"),
        "years of two digits": lambda t: t.strftime("%d.%m.%y %H:%M"),
        "Chinese dates": lambda t: t.strftime("%Y年%m月%d日 %H:%M"),
        "month names": lambda t: t.strftime("%d %b %Y %H:%M"),
        "slashes, year first": lambda t: t.strftime("%Y/%m/%d %H:%M"),
        "Excel day numbers": lambda t: f"{(t - datetime(1899, 12, 30, tzinfo=UTC)) / timedelta(days=1):.10f}",
        "without a zone": lambda t: t.strftime("%Y-%m-%d %H:%M:%S"),
        "seconds since 1970": lambda t: str(int(t.timestamp())),
        "milliseconds since 1970": lambda t: str(int(t.timestamp() * 1000)),
        "with an offset": lambda t: (t + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%S+08:00"),
        "fractions of seconds": lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }
    for label, write in local.items():
        yield good(f"times: {label}", csv(as_text(time=write)))
    berlin = csv(as_text(time=lambda t: (t + timedelta(hours=1)).strftime("%Y-%m-%d %H:%M")))
    yield good("times: local to Berlin", berlin, options={"timezone": "Europe/Berlin"})
    both = csv(as_text(time=lambda t: t.replace(day=min(t.day, 12)).strftime("%d/%m/%Y %H:%M")))
    yield refused("times: day and month both possible", both.encode(),
                  "offers.offered_at can be read in two ways: '12/01/2025 08:30' can be read day first or month first. "
                  "Choose the order of day and month.")  # fmt: skip


def _flags() -> Iterator[Nasty]:
    for yes, no in (
        ("yes", "no"),
        ("Y", "N"),
        ("TRUE", "FALSE"),
        ("是", "否"),
        ("ja", "nein"),
        ("1.0", "0.0"),
        ("bought", "not bought"),
    ):
        yield good(f"flags {yes} and {no}", csv(as_text(flag=lambda f, y=yes, n=no: y if f else n)))  # type: ignore[misc]


def _headers() -> Iterator[Nasty]:
    rows = as_text()
    yield good("German headers", csv(as_text(price=german), GERMAN, sep=";"))
    yield good("shouting headers with blanks", csv(rows, [name.upper().replace("_", " ") for name in HEADER]))
    yield good("headers with units", csv(rows, ["customer_id", "product_id", "offered_at", "price (EUR)", "purchased"]))
    yield good(
        "a title above the header", "Export of the shop\n\n" + csv(rows), note="1 line above the header passed over."
    )
    twice = csv([[*row, "x"] for row in rows], [*HEADER, "price"])
    yield good(
        "a header twice",
        twice,
        note="The column name 'price' occurs more than once; a later one was read as 'price (2)'.",
    )
    yield good(
        "a header missing",
        csv([[*row, "x"] for row in rows], [*HEADER, ""]),
        note="1 column has no name; read as column 6.",
    )
    numbered = {name: f"column {k}" for k, name in enumerate(HEADER, start=1)}
    yield good("no header at all", csv(rows, []), mapping=numbered,
               note="The first row looks like data: the file has no header, columns are numbered.")  # fmt: skip


def _rows() -> Iterator[Nasty]:
    lines = csv(as_text()).splitlines()
    yield good("blank lines", "\n\n".join(lines) + "\n")
    yield good("lines of delimiters only", "\n".join([*lines[:5], ",,,,", *lines[5:]]))
    ragged = [*lines[:4], "7,x", *lines[4:9], "1,2,3,4,5,6,7", *lines[9:]]
    yield good("rows too short and too long", "\n".join(ragged), set_aside=(5, 11))
    noted = csv([[*row, 'a "quoted"\nnote, with commas'] for row in as_text()], [*HEADER, "note"])
    yield good("newlines and quotes within cells", noted)
    junk = [*lines, "Total,,,51234.20,"]
    yield good("a total at the end", "\n".join(junk), set_aside=(42,))
    yield good("every row twice", "\n".join([*lines, *lines[1:]]), set_aside=tuple(range(42, 82)))
    bad = [*lines, "0017,00-A,2025-02-30,9.99,1", "0017,00-A,2025-02-03T10:00Z,-4,1", "0017,00-A,2025-02-03T11:00Z,free,1",
           "0017,00-A,2025-02-03T12:00Z,0,0", ",00-A,2025-02-03T13:00Z,9.99,0", "0017,00-A,2025-02-03T14:00Z,9.99,maybe"]  # fmt: skip
    yield good("impossible cells", "\n".join(bad), set_aside=(42, 43, 44, 45, 46, 47))


def _packed() -> Iterator[Nasty]:
    rows, content = as_text(), csv(as_text()).encode()
    yield good("gzip", gzip.compress(content), "offers.csv.gz")
    yield good("zip", _zip({"export/offers.csv": content, "__MACOSX/._offers.csv": b"junk"}), "offers.zip")
    months = {"2025-01.csv": csv(rows[:15]).encode(), "2025-02.csv": csv(rows[15:], sep=";").encode()}
    yield good("zip of monthly files", _zip(months), "offers.zip")
    yield Nasty("monthly files", [(content, name) for name, content in months.items()])


def _typed() -> Iterator[Nasty]:
    frame = expected()
    yield good("Parquet", _parquet(frame), "offers.parquet")
    yield good("Parquet with nanoseconds and categories", _parquet(_odd_types(frame)), "offers.parquet")
    yield good(
        "Parquet with decimals", _parquet(frame.assign(price=frame["price"].map(lambda p: f"{p:.2f}"))), "offers.pq"
    )
    local = frame.assign(offered_at=frame["offered_at"].dt.tz_localize(None))
    yield good("Excel", _excel([HEADER, *local.to_numpy().tolist()]), "offers.xlsx")
    yield good("Excel with a title and an empty first column",
               _excel([["", "Export"], [], ["", *HEADER], *([None, *row] for row in local.to_numpy().tolist())]),
               "offers.xlsx", note="1 line above the header passed over.")  # fmt: skip
    upper = ["customer", None, "offered_at", "price", None]
    lower = ["id", "group", None, "now", "before"]
    table = [[row[0], "g", row[2], row[3], 1.0, row[1], row[4]] for row in local.to_numpy().tolist()]
    merged = _excel([[*upper, "product_id", "purchased"], [*lower, None, None], *table], merge=["A1:B1", "D1:E1"])
    yield good("Excel with a header of two merged rows", merged, "offers.xlsx",
               mapping={"customer_id": "customer id", "price": "price now"},
               note="A header of two rows was read as one.")  # fmt: skip
    sheets = _excel([HEADER, *local.to_numpy().tolist()], others={"Notes": [["nothing"]], "Old": [["a"], ["b"]]})
    yield good("Excel with several sheets", sheets, "offers.xlsx",
               note="The workbook has several sheets: 'Sheet' was read, not 'Old'.")  # fmt: skip
    yield good("Excel, a sheet by name", _excel([["x"], ["y"]], others={"Data": [HEADER, *local.to_numpy().tolist()]}),
               "offers.xlsx#Data")  # fmt: skip


def _refused() -> Iterator[Nasty]:
    rows = as_text()
    yield refused("empty", b"", "offers.csv: the file is empty (0 bytes). Export it again and check its size.")
    yield refused(
        "only blank lines", b"\n\n \n", "offers.csv: the file holds no text, only blank lines. Export it again."
    )
    yield refused("header only", (",".join(HEADER) + "\n").encode(),
                  "offers.csv: the file has a header but no rows. Export it again with its rows.")  # fmt: skip
    yield refused("a picture", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe\x81\x8d",
                  "offers.csv: the text encoding is not known; UTF-8, UTF-16, GB18030 and Windows-1252 were tried. "
                  'Save the file as "CSV UTF-8".')  # fmt: skip
    yield refused("damaged Parquet", b"PAR1junk", "offers.parquet: this is not a readable Parquet file. Export it again.",
                  "offers.parquet")  # fmt: skip
    yield refused("damaged gzip", gzip.compress(b"a,b\n1,2\n")[:-6], "offers.csv.gz: this is not a readable gzip file. Pack it again.",
                  "offers.csv.gz")  # fmt: skip
    yield refused(
        "damaged zip", b"PK\x03\x04junk", "offers.zip: this is not a readable zip file. Pack it again.", "offers.zip"
    )
    yield refused("zip without a table", _zip({"readme.md": b"x"}),
                  "offers.zip: the zip file holds no table. Put files of these types into it: csv, tsv, txt, parquet, pq, "
                  "xlsx, xlsm, gz.", "offers.zip")  # fmt: skip
    yield refused("no price column", csv([row[:3] + row[4:] for row in rows], HEADER[:3] + HEADER[4:]).encode(),
                  "offers.csv: the required column is missing: price. Columns found: customer_id, product_id, offered_at, "
                  "purchased. Say which column it is, for example price=<column>.")  # fmt: skip
    thousand = csv([[*row[:3], "1.249", row[4]] for row in rows])
    yield refused("thousands or decimals, point", thousand.encode(),
                  "offers.price can be read in two ways: '1.249' can mean 1.249 or 1249. Choose the decimal sign.")  # fmt: skip
    comma = csv([[*row[:3], "1,249", row[4]] for row in rows], sep=";")
    yield refused("thousands or decimals, comma", comma.encode(),
                  "offers.price can be read in two ways: '1,249' can mean 1.249 or 1249. Choose the decimal sign.")  # fmt: skip
    yield refused("nobody bought", csv(as_text(flag=lambda f: "0")).encode(), "None of the 40 offers was purchased.")
    yield refused("everybody bought", csv(as_text(flag=lambda f: "1")).encode(),
                  "Every one of the 40 offers was purchased: offers that were declined are missing.")  # fmt: skip
    differing = {"a.csv": csv(rows[:9]).encode(), "b.csv": csv([row[:4] for row in rows[9:]], HEADER[:4]).encode()}
    yield Nasty("monthly files of different columns", [(content, name) for name, content in differing.items()],
                refused="b.csv: its columns differ from those of a.csv ('purchased' is missing). "
                "Put only files of the same columns together.")  # fmt: skip


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _odd_types(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(
        offered_at=frame["offered_at"].astype("datetime64[ns, UTC]"),
        customer_id=frame["customer_id"].astype("category"),
        purchased=frame["purchased"].astype(bool),
    )


def _excel(
    rows: list[list[Any]], merge: list[str] | None = None, others: dict[str, list[list[Any]]] | None = None
) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for area in merge or []:
        book.active.merge_cells(area)
    for title, table in (others or {}).items():
        sheet = book.create_sheet(title)
        for row in table:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
