"""What a kitchen's registry begins with, as queries of the registry that it is opened from.

Read with the pins of the kitchen there. Imports nothing: an opening on SQLite does without SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Mapping

#: As SQLAlchemy writes moments into SQLite.
MOMENT = "%Y-%m-%d %H:%M:%S.%f"

_PINNED = "JOIN pin p ON p.holder = :holder AND p.product = {0}.product"

#: How builds of the pinned versions ended: the last word of each kind.
_BUILDS = f"""
    SELECT max(b.id) FROM build b {_PINNED.format("b")} AND p.number = b.version
    GROUP BY b.product, b.outcome, b.recheck
"""

#: Table -> its rows.
WANTED: Mapping[str, str] = {
    "version": f"SELECT t.* FROM version t {_PINNED.format('t')} AND p.number = t.number",
    "build": f"SELECT t.* FROM build t WHERE t.id IN ({_BUILDS})",
    "rule_result": f"SELECT t.* FROM rule_result t WHERE t.build_id IN ({_BUILDS})",
    "tag": f"SELECT t.* FROM tag t {_PINNED.format('t')} AND p.number = t.number",
    "ended_hold": f"SELECT DISTINCT t.* FROM ended_hold t {_PINNED.format('t')}",
    "arrival": "SELECT t.* FROM arrival t WHERE t.reason <> ''",
}
