"""How bad, and how fast: P0 to P3 with the times in which people must answer."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Severity(StrEnum):
    """Incident severity. P0 is the worst."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


@dataclass(frozen=True, slots=True)
class Response:
    """Times from opening: until a person has taken it, and until it must be contained."""

    acknowledge: timedelta
    contain: timedelta


RESPONSE = {
    Severity.P0: Response(timedelta(minutes=15), timedelta(hours=1)),
    Severity.P1: Response(timedelta(minutes=30), timedelta(hours=4)),
    Severity.P2: Response(timedelta(hours=4), timedelta(hours=24)),
    Severity.P3: Response(timedelta(hours=24), timedelta(days=5)),
}


def from_finding(score: float) -> Severity:
    """Return the severity for a finding's number, 1.0 to 10.0.

    Bands: Amazon GuardDuty User Guide, "Severity levels of GuardDuty findings": Critical from
    9.0, High from 7.0, Medium from 4.0, Low below.
    """
    if score >= 9.0:
        return Severity.P0
    if score >= 7.0:
        return Severity.P1
    return Severity.P2 if score >= 4.0 else Severity.P3
