"""How the registry's schema came to be. Migrations only add: an older mesh still reads a newer registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Boolean, Connection, false, func, insert, inspect, select, text

from mesh_assets.capabilities.registry.control_tables import ANNOUNCEMENT, CONTROL
from mesh_assets.capabilities.registry.following_tables import ACCESS, FOLLOW
from mesh_assets.capabilities.registry.kitchen_tables import KITCHEN
from mesh_assets.capabilities.registry.promotion_tables import APPROVAL, FENCE, PROMOTION
from mesh_assets.capabilities.registry.tables import (
    ALERT,
    ARRIVAL,
    AUTOMATED,
    ENDED_HOLD,
    EVENT,
    EVENT_BATCH,
    EVENT_KEY,
    EXPIRY,
    JOB_REPORT,
    LANDING,
    LOG_CURSOR,
    METADATA,
    OUTBOX,
    RUN_ITEM,
    RUN_ORDER,
    SCHEMA_VERSION,
    TAG,
)

Migration = Callable[[Connection], None]


def _add_rechecks(connection: Connection) -> None:
    """Schema 2: rules that ran again over a published version are on record beside builds."""
    kind = Boolean().compile(dialect=connection.dialect)
    off = false().compile(dialect=connection.dialect)
    connection.execute(text(f"ALTER TABLE build ADD COLUMN recheck {kind} NOT NULL DEFAULT {off}"))


def _add_tags_and_holds(connection: Connection) -> None:
    """Schema 3: names for versions, and rollbacks that are held no longer."""
    METADATA.create_all(connection, tables=[TAG, ENDED_HOLD], checkfirst=True)


def _add_expiries(connection: Connection) -> None:
    """Schema 4: versions whose rows are gone."""
    METADATA.create_all(connection, tables=[EXPIRY], checkfirst=True)


def _add_controls(connection: Connection) -> None:
    """Schema 5: pauses, holds of what uses a product, announcements."""
    METADATA.create_all(connection, tables=[CONTROL, ANNOUNCEMENT], checkfirst=True)


def _add_orders(connection: Connection) -> None:
    """Schema 6: run orders, which are taken up again after an interruption."""
    METADATA.create_all(connection, tables=[RUN_ORDER, RUN_ITEM], checkfirst=True)


def _add_arrivals(connection: Connection) -> None:
    """Schema 7: files that came, batches that were landed, keys of events."""
    METADATA.create_all(connection, tables=[ARRIVAL, LANDING, EVENT_KEY], checkfirst=True)


def _add_automation(connection: Connection) -> None:
    """Schema 8: what products that are made by themselves were asked for."""
    METADATA.create_all(connection, tables=[AUTOMATED], checkfirst=True)


def _add_job_reports(connection: Connection) -> None:
    """Schema 9: what other tools report of their jobs."""
    METADATA.create_all(connection, tables=[JOB_REPORT], checkfirst=True)


def _add_events(connection: Connection) -> None:
    """Schema 10: events, messages to others, alerts that stand."""
    METADATA.create_all(connection, tables=[EVENT, EVENT_BATCH, LOG_CURSOR, OUTBOX, ALERT], checkfirst=True)


def _add_promotions(connection: Connection) -> None:
    """Schema 11: promotions of kitchens, what owners agreed to, and fences."""
    METADATA.create_all(connection, tables=[PROMOTION, APPROVAL, FENCE], checkfirst=True)


def _add_kitchens(connection: Connection) -> None:
    """Schema 12: kitchens, and where the rows of a version are."""
    METADATA.create_all(connection, tables=[KITCHEN], checkfirst=True)
    if all(column["name"] != "stored" for column in inspect(connection).get_columns("version")):
        connection.execute(text("ALTER TABLE version ADD COLUMN stored TEXT NOT NULL DEFAULT ''"))


def _add_followers(connection: Connection) -> None:
    """Schema 13: who hears of products, and who asked to read them."""
    METADATA.create_all(connection, tables=[FOLLOW, ACCESS], checkfirst=True)


#: Schema 1 is what `tables.py` said first; the migration at index 0 leads to schema 2, and so on. A new
#: registry is made from `tables.py` at once and starts at the newest schema.
MIGRATIONS: Sequence[Migration] = (
    _add_rechecks,
    _add_tags_and_holds,
    _add_expiries,
    _add_controls,
    _add_orders,
    _add_arrivals,
    _add_automation,
    _add_job_reports,
    _add_events,
    _add_promotions,
    _add_kitchens,
    _add_followers,
)


def schema_of(connection: Connection) -> int:
    """The schema that this registry has; 0 if it has none yet."""
    if not inspect(connection).has_table(SCHEMA_VERSION.name):
        return 0
    return connection.scalar(select(func.max(SCHEMA_VERSION.c.number))) or 0


def migrate(connection: Connection, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Bring the registry to the newest schema, in the caller's transaction; return the schema it has then."""
    newest = 1 + len(migrations)
    current = schema_of(connection)
    if current == 0:
        METADATA.create_all(connection)
        _stamp(connection, newest)
        return newest
    for number in range(current + 1, newest + 1):
        migrations[number - 2](connection)
        _stamp(connection, number)
    return max(current, newest)


def _stamp(connection: Connection, number: int) -> None:
    connection.execute(insert(SCHEMA_VERSION).values(number=number, applied=datetime.now(UTC)))
