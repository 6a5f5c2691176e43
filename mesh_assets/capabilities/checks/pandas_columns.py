"""Columns of a pandas frame as the types that a contract says they have, if nothing is lost on the way.

Here: reading pandas' own forms (whole numbers that became floats for want of a null, midnights for dates,
objects of any kind) as Arrow columns.
Not here: rules.

What cannot be read without loss keeps the type that pandas gave it, and is then a column of the wrong type.
NaN in a NumPy column is null, which is all that such a column can say; an Arrow-backed column keeps both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.contracts.model import Contract

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow


def arrow_table(frame: pd.DataFrame, promise: Contract) -> pyarrow.Table:
    """The frame as an Arrow table; every column of it, those that the contract does not know as they are."""
    import pyarrow

    wanted = _arrow_types({column.name: column.physical_type for column in promise.columns})
    return pyarrow.table(
        {str(name): _column(frame[name], wanted.get(str(name))) for name in dict.fromkeys(frame.columns)}
    )


def _arrow_types(physical: dict[str, str]) -> dict[str, pyarrow.DataType]:
    """How DuckDB hands out these types to Arrow."""
    import duckdb

    nulls = ", ".join(f"NULL::{kind}" for kind in physical.values())
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        schema = con.execute(f"SELECT {nulls or 'NULL'}").to_arrow_table().schema
    return dict(zip(physical, schema.types, strict=False))


def _column(series: pd.Series, wanted: pyarrow.DataType | None) -> Any:
    import pyarrow

    try:
        natural = pyarrow.array(series, from_pandas=True)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
        return _of_several_kinds(series, wanted)
    if getattr(natural.type, "extension_name", None) == "arrow.uuid":
        # DuckDB gives them to pandas as Python's UUID objects, and to Arrow as text.
        natural = pyarrow.array(series.map(str, na_action="ignore"), pyarrow.string(), from_pandas=True)
    if wanted is None or natural.type == wanted:
        return natural
    if pyarrow.types.is_null(natural.type):
        return natural.cast(wanted)
    return _without_loss(series, natural, wanted)


def _of_several_kinds(series: pd.Series, wanted: pyarrow.DataType | None) -> Any:
    """A map comes from pandas as pairs, of a text and a number perhaps; anything else is no column at all."""
    import pyarrow

    if wanted is not None and pyarrow.types.is_nested(wanted):
        try:
            return pyarrow.array(series, wanted, from_pandas=True)
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
            pass
    return pyarrow.StructArray.from_arrays([pyarrow.array(series.map(repr))], ["of_several_kinds"])


def _without_loss(series: pd.Series, natural: Any, wanted: pyarrow.DataType) -> Any:
    import pyarrow

    try:
        if pyarrow.types.is_nested(wanted) and series.dtype == object:
            return pyarrow.array(series, wanted, from_pandas=True)
        if not _is_a_form_of(natural.type, wanted):
            return natural
        read = natural.cast(wanted)
        same = read.cast(natural.type).equals(natural)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, pyarrow.ArrowNotImplementedError):
        return natural
    return read if same else natural


def _is_a_form_of(natural: pyarrow.DataType, wanted: pyarrow.DataType) -> bool:
    """Whether pandas has this type for want of the other; an integer of another width is another type."""
    from pyarrow import types

    pairs = (
        (types.is_floating, types.is_integer),  # the nulls made it a float
        (types.is_timestamp, types.is_date),
        (types.is_decimal, types.is_decimal),
        (types.is_large_string, types.is_string),
    )
    if any(has(natural) and should(wanted) for has, should in pairs):
        return True
    # Another unit, or another zone's clock.
    both = types.is_timestamp(natural) and types.is_timestamp(wanted)
    return both and (natural.tz is None) == (wanted.tz is None)
