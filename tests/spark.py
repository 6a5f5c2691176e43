"""A Python that has PySpark, which is no dependency: `.ci/run` makes it a virtual environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache

import pytest


def spark_python() -> str:
    """The Python to run a Spark program with; skips where there is none, and fails if that is in CI."""
    missing = _missing()
    if missing and os.environ.get("CI") == "true":
        pytest.fail(
            f"CI runs every program that is printed, and {missing} (.ci/run installs it)", pytrace=False
        )
    if missing:
        pytest.skip(missing)
    return _python()


def _python() -> str:
    return os.environ.get("SPARK_PYTHON", sys.executable)


@cache
def _missing() -> str:
    if shutil.which("java") is None:
        return "Spark needs Java, and there is none"
    if subprocess.run([_python(), "-c", "import pyspark"], capture_output=True).returncode:
        return "pyspark is not installed, and SPARK_PYTHON names no Python that has it"
    return ""
