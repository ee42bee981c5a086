"""Durations and times in the forms that Vault's API takes and gives."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from playbooks.drills.range.vault.errors import invalid

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PART = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")


def seconds(value: object) -> int:
    """Whole seconds of a duration: 30, "30", "30s", "1h30m" or "2d" (Duration format strings).

    Nothing at all is 0. Raises RefusedError 400 for anything else.
    """
    text = str(value or 0).strip()
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    parts = _PART.findall(text)
    if "".join(n + unit for n, unit in parts) != text:
        raise invalid(f"error parsing duration {text!r}, expected such as 30s, 5m or 1h")
    return int(sum(float(n) * _UNITS[unit] for n, unit in parts))


def stamp(at: float) -> str:
    """A time (epoch seconds) as RFC 3339 in UTC with nanoseconds, as Vault writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
