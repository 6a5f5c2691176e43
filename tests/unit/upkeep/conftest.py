"""The same promises on every kind of registry and catalog."""

from __future__ import annotations

from tests.objects import object_store as object_store  # a fixture
from tests.postgres import postgres as postgres  # a fixture
from tests.unit.publishing.conftest import shop as shop  # a fixture
