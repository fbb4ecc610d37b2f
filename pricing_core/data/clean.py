"""Read the cells of one table by what its columns mean; set aside, with the reason, unusable rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pricing_core import schema
from pricing_core.data.names import name_tokens
from pricing_core.data.options import CleaningOptions
from pricing_core.data.parsing import Parsed, parse_flag, parse_number, to_text
from pricing_core.data.parsing_times import parse_time
from pricing_core.data.raw_table import RawTable
from pricing_core.data.rules import apply_rules
from pricing_core.data.worksheet import Worksheet, braced, shown

_EVENT_WORDS = {
    "view": (
        "view",
        "views",
        "page_view",
        "pageview",
        "product_view",
        "click",
        "pv",
        "browse",
        "浏览",
        "点击",
    ),
    "cart": ("cart", "add_to_cart", "addtocart", "add to cart", "basket", "加购", "加入购物车"),
    "purchase": ("purchase", "purchased", "buy", "bought", "order", "transaction", "sale", "购买", "下单"),
    "review": ("review", "rating", "rate", "comment", "评价", "评论"),
}
_EVENT_OF = {word: event for event, words in _EVENT_WORDS.items() for word in words}
_TEXT_ENDINGS = ("id", "ids", "sku", "code", "zip", "postcode", "ean", "upc", "编号", "编码")
_FORMULA_SIGNS = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
_NUMBER = r"^[+-]?\d+(?:\.\d+)?$"
_SIGNED = ("quantity", "amount", "unit_price")  # below zero where an order takes back another
_READABLE_SHARE = 0.99
"""Share of a further column's cells that must read as numbers (or times) for it to be taken as such."""


def clean_table(table: str, raw: RawTable, mapping: Mapping[str, str], options: CleaningOptions) -> Worksheet:
    """Type and check one table.

    Parameters
    ----------
    table
        Canonical table.
    raw
        The table as read.
    mapping
        Field → column of ``raw``; must have been checked.
    options
        The rules for duplicates, outliers, gaps and noise.

    Returns
    -------
    Worksheet
        With typed columns under canonical names, the shop's further columns, findings and rejected rows.
    """
    sheet = Worksheet(table, raw)
    columns: dict[str, pd.Series] = {}
    for field in schema.fields(table):
        if field.name in mapping:
            columns[field.name] = read_field(sheet, field, raw.frame[mapping[field.name]], options)
    used = set(mapping.values())
    for column in raw.frame.columns:
        if column not in used:
            columns[free_name(column, columns)] = read_further(sheet, column, raw.frame[column], options)
    sheet.frame = pd.DataFrame(columns, index=raw.frame.index)
    note_reading(sheet, len(raw.frame))
    apply_rules(sheet, options)
    _finish_types(sheet)
    return sheet


def free_name(column: str, taken: Mapping[str, pd.Series]) -> str:
    """Name a further column; one that is called like a field mapped elsewhere gets ``_unmapped`` appended."""
    while column in taken:
        column = f"{column}_unmapped"
    return column


def note_reading(sheet: Worksheet, rows: int) -> None:
    """Report what was done to read the file, its blank rows, and those that do not fit the header."""
    for note in sheet.raw.notes:
        sheet.note_count("info", "", max(rows, 1), braced(note), "None.")
    sheet.note_count("info", "", sheet.raw.blank_rows, "{count} blank row{s} {were} passed over.", "None.")
    bad = sheet.raw.malformed
    if len(bad):
        first = f"row {bad['row_number'].iloc[0]} {bad['reason'].iloc[0]}"
        message = f"{{count}} row{{s}} {{were}} set aside for not fitting the header: {first}."
        effect = "These rows teach the models nothing until they are corrected."
        sheet.note_count("warning", "", len(bad), message, effect)


def read_field(sheet: Worksheet, field: schema.Field, cells: pd.Series, options: CleaningOptions) -> pd.Series:
    """Type the cells of a field of the schema; what cannot be used is noted in the sheet, or its rows set aside."""
    if field.kind == "identifier":
        values = to_text(cells)
        _note_formulas(sheet, field.name, values)
        unreadable = np.zeros(len(cells), dtype=bool)
    elif field.name == "event_type":
        values, unreadable = _read_event_type(cells)
    elif field.name == "promotion":
        values, unreadable = _read_promotion(cells), np.zeros(len(cells), dtype=bool)
    elif field.kind == "category":
        values, unreadable = to_text(cells), np.zeros(len(cells), dtype=bool)
    else:
        parsed = _parse(field.kind, cells, options)
        _note_parsing(sheet, field.name, parsed)
        values, unreadable = parsed.values, parsed.unreadable
    _judge(sheet, field, cells, values, unreadable)
    return _check_values(sheet, field, values, cells)


def _parse(kind: schema.Kind, cells: pd.Series, options: CleaningOptions) -> Parsed:
    if kind == "time":
        return parse_time(cells, options.timezone, options.date_order)
    if kind == "flag":
        return parse_flag(cells)
    return parse_number(cells, options.decimal)


def _read_event_type(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    text = to_text(cells)
    values = text.str.lower().map(_EVENT_OF).astype("str")
    return values, (text.notna() & values.isna()).to_numpy()


def _read_promotion(cells: pd.Series) -> pd.Series:
    """Read 0 and 1 as such when there is nothing else, and the names of promotions as text."""
    flag = parse_flag(cells)
    if flag.unreadable.any() or flag.values.isna().all():
        return to_text(cells)
    return flag.values.astype("float64" if flag.values.isna().any() else "int8")


def _note_formulas(sheet: Worksheet, column: str, values: pd.Series) -> None:
    levels = values.dropna().drop_duplicates()
    begun = levels[levels.str[:1].isin(_FORMULA_SIGNS)]
    suspects = begun[~begun.str.match(_NUMBER)]
    formula = values.isin(suspects).to_numpy(dtype=bool)
    if formula.any():
        example = braced(shown(values[formula].iloc[0]))
        sheet.note(
            "warning", column, formula,
            f"{{count}} id{{s}} {{were}} kept as text though looking like a spreadsheet formula: {example}.",
            "Prices are not affected; the Excel download marks such text so that a spreadsheet does not "
            "run it.",
        )  # fmt: skip


def _note_parsing(sheet: Worksheet, column: str, parsed: Parsed) -> None:
    for words, mask in parsed.marks.items():
        effect = "A wrong zone would shift hours and days." if "zone" in words else "None, if read rightly."
        sheet.note_count("info", column, sheet.rows_in(mask), "{count} cell{s}: " + words + ".", effect)
    if parsed.question:
        everything = np.ones(len(parsed.values), dtype=bool)
        option = "the order of day and month" if "day first" in parsed.question else "the decimal sign"
        sheet.note(
            "blocking", column, everything,
            f"{sheet.table}.{column} can be read in two ways: {parsed.question}. Choose {option}.",
            "A wrong guess would make every number of this column wrong.",
        )  # fmt: skip


_KIND_WORDS = {"time": "a time", "flag": "yes or no (1 or 0)", "money": "a number", "number": "a number",
               "rating": "a number", "category": "a known event"}  # fmt: skip


def _judge(sheet: Worksheet, field: schema.Field, cells: pd.Series, values: pd.Series, unreadable: np.ndarray) -> None:
    """Set aside rows whose required cell is missing or unreadable; report the same of optional cells."""
    words = _KIND_WORDS.get(field.kind, "readable")
    missing = values.isna().to_numpy() & ~unreadable
    if field.required:
        sheet.set_aside(field.name, unreadable, f"{field.name} is not {words}", cells=cells)
        sheet.set_aside(field.name, missing, f"{field.name} is missing")
        return
    if unreadable.any():
        example = braced(shown(cells[unreadable].iloc[0]))
        message = f"{{count}} value{{s}} of {field.name} {{are}} not {words} (such as {example}); taken as missing."
        sheet.note("warning", field.name, unreadable, message, "The models treat them as unknown.")


def _check_values(sheet: Worksheet, field: schema.Field, values: pd.Series, cells: pd.Series) -> pd.Series:
    """Set aside rows whose price is not above zero; blank impossible optional values, and say so."""
    if field.signed or (sheet.table == "orders" and field.name in _SIGNED):
        return values
    if field.kind in ("money", "number", "rating"):
        number = values.to_numpy(dtype=np.float64)
        with np.errstate(invalid="ignore"):
            if field.required:
                sheet.set_aside(field.name, number < 0, f"{field.name} is negative", cells=cells)
                sheet.set_aside(field.name, number == 0, f"{field.name} is zero")
                return values
            wrong, words = number < 0, "negative"
            if field.kind == "rating":
                wrong, words = (number < 1) | (number > 5), "outside 1 to 5"
            elif field.name in ("list_price", "competitor_price"):
                wrong, words = number <= 0, "zero or negative"
        message = f"{{count}} value{{s}} of {field.name} {{are}} {words}; taken as missing."
        sheet.note("warning", field.name, wrong, message, "The models treat them as unknown.")
        return values.mask(wrong) if wrong.any() else values
    return values


def read_further(sheet: Worksheet, column: str, cells: pd.Series, options: CleaningOptions) -> pd.Series:
    """Type a column of the shop's own: numbers, times, flags, else text."""
    if pd.api.types.is_datetime64_any_dtype(cells):
        return parse_time(cells, options.timezone).values
    if pd.api.types.is_bool_dtype(cells):
        return cells.astype("int8")
    if name_tokens(column)[-1:] and name_tokens(column)[-1] in _TEXT_ENDINGS:
        return to_text(cells)
    if pd.api.types.is_numeric_dtype(cells):
        if pd.api.types.is_integer_dtype(cells) and not cells.isna().any():
            return cells.astype("int64")
        return parse_number(cells).values
    text = to_text(cells)
    levels = text.dropna().drop_duplicates()
    if levels.empty or bool(levels.str.match(r"^0\d").any()):
        return text
    return _typed_text(sheet, column, cells, text, levels, options)


def _typed_text(
    sheet: Worksheet,
    column: str,
    cells: pd.Series,
    text: pd.Series,
    levels: pd.Series,
    options: CleaningOptions,
) -> pd.Series:
    if bool(levels.str.lower().isin(("true", "false")).all()):
        return parse_flag(text).values.astype("float64" if text.isna().any() else "int8")
    probe = levels.head(200)
    if parse_number(probe, options.decimal).unreadable.mean() <= 1 - _READABLE_SHARE:
        parsed = parse_number(text, options.decimal)
    elif bool(probe.str.match(r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}").all()):
        parsed = parse_time(text, options.timezone, options.date_order)
    else:
        return text
    filled = sheet.rows_in(text.notna().to_numpy())
    if sheet.rows_in(parsed.unreadable) > (1 - _READABLE_SHARE) * filled:
        return text
    if parsed.unreadable.any() and sheet.table == "orders":
        return text  # not kept, so nothing is lost; invoice numbers of cancellations are recognized by their text
    if parsed.unreadable.any():
        example = braced(shown(cells[parsed.unreadable].iloc[0]))
        message = f"{{count}} value{{s}} of {column} {{are}} unlike the others ({example}); taken as missing."
        sheet.note("warning", column, parsed.unreadable, message, "The models treat them as unknown.")
    return parsed.values


def _finish_types(sheet: Worksheet) -> None:
    """Give ``purchased`` its final type; rejected rows hold 0 until they are dropped."""
    if "purchased" in sheet.frame.columns:
        sheet.frame["purchased"] = sheet.frame["purchased"].fillna(0).astype("int8")
