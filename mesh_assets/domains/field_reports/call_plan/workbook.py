"""The call plan as a workbook that a representative filters and prints.

Here: sheets, formats, widths. The same plan gives the same bytes: the only date inside is the plan's own.
Not here: who is in the plan (ranking).
"""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import TYPE_CHECKING

import xlsxwriter

if TYPE_CHECKING:
    import polars as pl
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

#: Column of the plan, heading, width, kind of cell.
COLUMNS = (
    ("territory_id", "Territory", 10, "text"),
    ("territory_name", "Territory name", 24, "text"),
    ("rank", "Rank", 7, "whole"),
    ("full_name", "Prescriber", 26, "strong"),
    ("specialty", "Specialty", 24, "text"),
    ("address", "Address", 28, "text"),
    ("city", "City", 18, "text"),
    ("state", "State", 7, "text"),
    ("zip5", "ZIP", 8, "text"),
    ("npi", "NPI", 13, "text"),
    ("brand_id", "Brand", 16, "strong"),
    ("basket", "Market", 18, "text"),
    ("basket_fills_26w", "Market fills, 26 weeks", 12, "whole"),
    ("brand_fills_26w", "Brand fills, 26 weeks", 12, "whole"),
    ("brand_share", "Share", 9, "percent"),
    ("usual_share", "Usual share", 9, "percent"),
    ("opportunity_fills", "Opportunity, fills", 13, "tenth"),
    ("calls_13w", "Calls, 13 weeks", 9, "whole"),
    ("last_call_week", "Last call, week of", 13, "day"),
    ("score", "Score", 9, "tenth"),
    ("reason", "Why", 90, "text"),
)
NUMBERS = {"whole": "#,##0", "percent": "0%", "tenth": "#,##0.0", "day": "d mmm yyyy"}
#: A workbook carries the time of its making; ours carries the beginning of the example's calendar instead.
CREATED = datetime(2023, 1, 2)  # noqa: DTZ001 - a workbook's times have no zone


def workbook(plan: pl.DataFrame) -> bytes:
    """The plan, best calls first, and a sheet that says how to read it."""
    held = io.BytesIO()
    with xlsxwriter.Workbook(held, {"in_memory": True}) as book:
        book.set_properties({"title": "Call plan", "subject": "field_reports.call_plan", "created": CREATED})
        formats = {
            kind: book.add_format(
                {"num_format": NUMBERS.get(kind, "@"), "valign": "top", "bold": kind == "strong"}
            )
            for _, _, _, kind in COLUMNS
        }
        heading = book.add_format(
            {
                "bold": True,
                "text_wrap": True,
                "valign": "vcenter",
                "bg_color": "#174A9C",
                "font_color": "#FFFFFF",
            }
        )
        sheet = book.add_worksheet("Call plan")
        _fill(sheet, plan, formats)
        _dress(sheet, rows=plan.height, heading=heading)
        _explain(book.add_worksheet("How to read it"), book.add_format({"text_wrap": True}))
    return held.getvalue()


def _fill(sheet: Worksheet, plan: pl.DataFrame, formats: dict[str, Format]) -> None:
    for place, (column, _, _, kind) in enumerate(COLUMNS):
        for line, value in enumerate(plan.get_column(column).to_list(), start=1):
            if value is None:
                sheet.write_blank(line, place, None, formats[kind])
            elif isinstance(value, date):
                sheet.write_datetime(line, place, value, formats[kind])
            elif isinstance(value, str):
                sheet.write_string(line, place, value, formats[kind])
            else:
                sheet.write_number(line, place, value, formats[kind])


def _dress(sheet: Worksheet, *, rows: int, heading: Format) -> None:
    """Headings that stay, filters, bars, and pages that print."""
    names = [column for column, _, _, _ in COLUMNS]
    for place, (_, title, width, _) in enumerate(COLUMNS):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, title, heading)
    sheet.set_row(0, 32)
    sheet.freeze_panes(1, names.index("full_name") + 1)
    sheet.autofilter(0, 0, rows, len(COLUMNS) - 1)
    bars = names.index("opportunity_fills")
    sheet.conditional_format(
        1,
        bars,
        rows,
        bars,
        {"type": "data_bar", "bar_color": "#A9C8F5", "bar_solid": True, "min_type": "num", "min_value": 0},
    )
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&LCall plan&CPage &P of &N")


def _explain(sheet: Worksheet, wrapped: Format) -> None:
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 100, wrapped)
    lines = (
        ("Made from", "The mesh's product field_reports.call_plan; its table has the same rows."),
        ("Rank", "By score within the territory, the best call first."),
        (
            "Market fills",
            "Fills of all brands of the market that this prescriber wrote in the last 26 weeks.",
        ),
        ("Usual share", "The brand's share of its market in the whole country, same weeks."),
        ("Opportunity", "Fills that the brand would gain in 26 weeks at its usual share."),
        ("Score", "Opportunity, less a fifth for each call of the last 13 weeks, three fifths at most."),
    )
    for line, (name, said) in enumerate(lines):
        sheet.write_string(line, 0, name)
        sheet.write_string(line, 1, said)
