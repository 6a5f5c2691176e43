"""The same promises on every kind of registry and catalog."""

from __future__ import annotations

from tests.unit.publishing.conftest import shop as shop  # a fixture
