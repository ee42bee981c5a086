"""Read an event as EventBridge puts it into a queue, and believe its envelope only so far."""

from collections.abc import Container
from datetime import datetime
from typing import Final

from playbooks.intake.alert import Alert
from playbooks.intake.errors import EnvelopeError
from playbooks.intake.read import read_document
from playbooks.intake.strict_json import read_object

# Only AWS's services can put events whose source begins with "aws." ("PutEventsRequestEntry").
SOURCES: Final = ("aws.guardduty", "aws.securityhub")


def read_event(data: bytes, *, received: datetime, here: str, accounts: Container[str]) -> Alert:
    """Return the alert in the event `data`, received at an aware time in the account `here`.

    Its envelope names the account that the finding is about, or `here`: a delegated administrator
    gets its members' findings as events of its own account. `accounts` are those in the settings.
    Raises IntakeError, and nothing else, for whatever the bytes hold.
    """
    document = read_object(data)
    source = document.get("source")
    if source not in SOURCES:
        raise EnvelopeError(
            f"The event's source is {ascii(source)[:60]}; {' or '.join(SOURCES)} was expected."
            " Let the queue's rule match only these."
        )
    alert = read_document(document, data, received=received)
    envelope = document.get("account")
    if envelope not in (alert.account, here) or alert.account not in accounts:
        raise EnvelopeError(
            f"The event is of account {ascii(envelope)[:20]} and its finding about"
            f" {alert.account}; both the same, or the queue's, and one in stanch.toml was"
            " expected. Add the account if it is yours; else look at who may send to the queue."
        )
    return alert
