"""A Python that has PySpark, which is no dependency: `.ci/run` makes it one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache

import pytest


def spark_python() -> str:
    """The Python to run a Spark program with; skips where there is none, with the reason. `.ci/run` says so
    before all tests, if what it installs was not to be had.
    """
    if missing := _missing():
        pytest.skip(missing)
    return _python()


def _python() -> str:
    return os.environ.get("SPARK_PYTHON", sys.executable)


@cache
def _missing() -> str:
    if shutil.which("java") is None:
        return "Spark needs Java, and there is none"
    python = shutil.which(_python())
    if python is None or subprocess.run([python, "-c", "import pyspark"], capture_output=True).returncode:
        return "pyspark is not installed, and SPARK_PYTHON names no Python that has it"
    return ""
