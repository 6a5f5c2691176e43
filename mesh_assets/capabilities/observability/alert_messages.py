"""Messages as receivers get them: mail, JSON to a webhook, Slack's form, a line in a file.

Here: words and forms, quiet hours, digests. Not here: what is told (alerts), trying again (delivery).
"""

from __future__ import annotations

import fcntl
import json
import os
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mesh_assets.capabilities.observability.delivery import Channel, Refused, Unreachable, post
from mesh_assets.capabilities.publishing.vault import record
from mesh_assets.words.alerts import Alerts, NotDelivered, QuietHours, Receiver, ReceiverKind
from mesh_assets.words.cron import moment_of

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry.outbox import Message
    from mesh_assets.words.settings import Settings

CHANNEL = "alert"
SMTP_SECONDS = 15
#: Items of a message that are written out.
SHOWN = 40


def channel(settings: Settings, alerts: Alerts) -> Channel:
    """How alerts are sent: one message of a rule at a time, and a digest of what quiet hours held back."""

    def send(name: str, messages: Sequence[Message]) -> None:
        receiver = alerts.receivers.get(name)
        if receiver is None:
            raise Refused("no receiver of this name is in the file any more")
        if settings.kitchen:  # people and systems outside are not told of what is tried
            record(settings.home / "outside.jsonl", f"alert to {name}", [repr(_document(messages))], {})
            return
        SENDERS[receiver.kind](settings, receiver, _document(messages), messages[0].key)

    def quiet(message: Message, now: datetime) -> datetime | None:
        receiver = alerts.receivers.get(message.receiver)
        if receiver is None or receiver.quiet is None or message.body.get("urgent"):
            return None
        return quiet_until(receiver.quiet, now)

    return Channel(CHANNEL, send, quiet, together=_held)


def _held(messages: Sequence[Message]) -> bool:
    return len(messages) > 1 and any("quiet hours" in each.problem for each in messages)


def quiet_until(quiet: QuietHours, now: datetime) -> datetime | None:
    """When the quiet hours that it is now are over, None outside them; through changes of the clock."""
    zone = ZoneInfo(quiet.zone)
    today = now.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        if day.weekday() not in quiet.days:
            continue
        last = day if quiet.until > quiet.start else day + timedelta(days=1)
        begin = moment_of(zone, datetime.combine(day, quiet.start), twice=0)
        end = moment_of(zone, datetime.combine(last, quiet.until))
        if begin <= now < end:
            return end.astimezone(UTC)
    return None


def send_test(settings: Settings, receiver: Receiver) -> None:
    """Send a test, now, past the outbox; raises NotDelivered."""
    now = datetime.now(UTC)
    item = {
        "subject": "test",
        "states": ["test"],
        "told": "Somebody pressed the button (`mesh alert test`); nothing is wrong",
        "since": now.isoformat(timespec="seconds"),
        "recovered": False,
    }
    document = {"rules": ["test"], "at": item["since"], "items": [item], "digest": False}
    try:
        SENDERS[receiver.kind](settings, receiver, document, f"test:{now.isoformat()}")
    except (Unreachable, Refused) as error:
        raise NotDelivered(receiver=receiver.name, problem=str(error)) from None


def _document(messages: Sequence[Message]) -> dict[str, Any]:
    """Several messages as one: of each rule and subject the last word."""
    bodies = [each.body for each in messages]
    last = {(body["rule"], item["subject"]): item for body in bodies for item in body["items"]}
    return {
        "rules": list(dict.fromkeys(body["rule"] for body in bodies)),
        "at": bodies[-1]["at"],
        "items": list(last.values()),
        "digest": len(bodies) > 1,
    }


def subject_of(document: Mapping[str, Any]) -> str:
    """One line that says what it is about."""
    items = document["items"]
    over = sum(bool(item["recovered"]) for item in items)
    parts = [
        f"{len(items) - over} to look at" if len(items) > over else "",
        f"{over} recovered" if over else "",
    ]
    rules = ", ".join(document["rules"][:3])
    if len(items) == 1:
        return (
            f"mesh: {items[0]['subject']} {'recovered' if over else ', '.join(items[0]['states'])} ({rules})"
        )
    return f"mesh: {' and '.join(part for part in parts if part)} ({rules})"


def text_of(document: Mapping[str, Any]) -> str:
    """The message in plain lines."""
    lines = []
    for item in document["items"][:SHOWN]:
        states = ", ".join(item["states"])
        if item["recovered"]:
            lines.append(f"- {item['subject']}: recovered ({states} since {item['since']})")
        else:
            told = f": {item['told']}" if item["told"] else ""
            lines.append(f"- {item['subject']} {states} since {item['since']}{told}")
    more = len(document["items"]) - SHOWN
    return "\n".join([*lines, *([f"and {more} more: `mesh status`"] if more > 0 else [])])


def _webhook(_: Settings, receiver: Receiver, document: Mapping[str, Any], key: str) -> None:
    body = {**document, "subject": subject_of(document), "text": text_of(document)}
    token = _secret(receiver.token_from) if receiver.token_from else ""
    post(_secret(receiver.url_from), body, token=token, key=key)


def _slack(_: Settings, receiver: Receiver, document: Mapping[str, Any], key: str) -> None:
    text = f"{subject_of(document)}\n{text_of(document)}"
    for letter, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(letter, written)
    post(_secret(receiver.url_from), {"text": text}, key=key)


def _file(settings: Settings, receiver: Receiver, document: Mapping[str, Any], key: str) -> None:
    path = settings.home / receiver.path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(json.dumps({"key": key, "subject": subject_of(document), **document}) + "\n")
    except OSError as error:
        raise Unreachable(f"the file cannot be written ({error.strerror})") from None


def _mail(_: Settings, receiver: Receiver, document: Mapping[str, Any], key: str) -> None:
    mail = EmailMessage()
    # A line break in a header would begin another one.
    mail["Subject"] = " ".join(subject_of(document).split())[:200]
    mail["From"], mail["To"] = receiver.sender, ", ".join(receiver.to)
    mail["Message-ID"] = f"<{key.replace(':', '.').replace('+', '.')}@mesh>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text_of(document))
    password = _secret(receiver.password_from) if receiver.password_from else ""
    try:
        with smtplib.SMTP(receiver.host, receiver.port, timeout=SMTP_SECONDS) as server:
            if receiver.starttls:
                server.starttls(context=ssl.create_default_context())
            if receiver.user:
                server.login(receiver.user, password)
            server.send_message(mail)
    except smtplib.SMTPResponseException as error:
        kind = Refused if 500 <= error.smtp_code < 600 else Unreachable
        raise kind(f"the mail server answered {error.smtp_code}") from None
    except smtplib.SMTPRecipientsRefused:
        raise Refused("the mail server takes none of the addresses") from None
    except (OSError, smtplib.SMTPException) as error:
        raise Unreachable(f"no answer of the mail server ({type(error).__name__})") from None


def _secret(variable: str) -> str:
    """The variable's value, or what is in the file of NAME_FILE. It may be set later: no refusal."""
    if os.environ.get(variable):
        return os.environ[variable]
    path = os.environ.get(f"{variable}_FILE")
    try:
        found = Path(path).read_text(encoding="utf-8").strip() if path else ""
    except OSError as error:
        raise Unreachable(f"the file of {variable}_FILE cannot be read ({error.strerror})") from None
    if not found:
        raise Unreachable(f"{variable} is not set")
    return found


SENDERS = {
    ReceiverKind.WEBHOOK: _webhook,
    ReceiverKind.SLACK: _slack,
    ReceiverKind.FILE: _file,
    ReceiverKind.MAIL: _mail,
}
