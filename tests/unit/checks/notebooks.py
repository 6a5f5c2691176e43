"""One polars frame as a notebook may hold it: polars, pandas or ibis."""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd
import polars as pl
import pytest

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what ibis and sqlglot warn of at import is theirs
        import ibis
except ImportError:
    ibis = None

BACKENDS = [
    "polars",
    "pandas",
    pytest.param(
        "ibis", marks=pytest.mark.skipif(ibis is None, reason="ibis is not installed: [dev] has it")
    ),
]


def in_backend(backend: str, frame: pl.DataFrame) -> Any:
    """The same rows; pandas gets Arrow columns, which keep NaN and null apart as the others do."""
    if backend == "pandas":
        return frame.to_arrow().to_pandas(types_mapper=pd.ArrowDtype)
    return ibis.memtable(frame) if backend == "ibis" else frame
