"""The one door for alerts: bytes in, normal form out."""

from datetime import datetime

from playbooks.intake.alert import Alert
from playbooks.intake.errors import UnknownSourceError
from playbooks.intake.fields import pick
from playbooks.intake.guardduty import read_guardduty
from playbooks.intake.strict_json import Json, read_object

_FORMATS = (
    "a GuardDuty finding as EventBridge sends it (with or without its envelope), or as"
    " `aws guardduty get-findings` prints it (one finding)"
)


def read_alert(data: bytes, *, received: datetime) -> Alert:
    """Return the alert in `data` (UTF-8 JSON, at most 1 MiB), received at the aware `received`.

    Raises IntakeError, and nothing else, for whatever the bytes hold; ValueError when
    `received` is naive, which is the caller's mistake.
    """
    return read_document(read_object(data), data, received=received)


def read_document(document: dict[str, Json], data: bytes, *, received: datetime) -> Alert:
    """Return the alert in `document`, which was read from the bytes `data`; as `read_alert`."""
    if received.tzinfo is None:
        raise ValueError("received has no time zone; pass an aware time")
    if not is_guardduty(document):
        raise UnknownSourceError(
            f"The alert is in no format we read (it has {ascii(sorted(document)[:8])[:200]})."
            f" Expected: {_FORMATS}. Have the source send that form."
        )
    return read_guardduty(document, data, received=received)


def is_guardduty(document: dict[str, Json]) -> bool:
    """Return whether the document looks like a GuardDuty finding, in its envelope or without.

    Raises FieldError where a name stands in both of AWS's spellings.
    """
    if "source" in document and "detail" in document:
        return document["source"] == "aws.guardduty"
    if "findings" in document or "Findings" in document:
        listed = pick(document, "findings")
        # Security Hub's findings come under the same name, each with a ProductArn (ASFF).
        first = listed[0] if isinstance(listed, list) and listed else None
        return not (isinstance(first, dict) and "ProductArn" in first)
    finding = pick(document, "detail") or document
    return isinstance(finding, dict) and all(
        pick(finding, name) is not None for name in ("type", "resource")
    )
