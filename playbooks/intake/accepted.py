"""What takes an alert in, as its doors see it: it is passed in, and durable when it returns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from playbooks.intake.alert import Alert


@dataclass(frozen=True, slots=True)
class Came:
    """How an alert came: `siem:NAME`, `queue:NAME`, or by hand.

    `digest` (64 hex digits) and `signed`, the sender's time, are those of a signed request, which
    counts once.
    """

    channel: str
    digest: str = ""
    signed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The incident (such as INC-0001) that the alert opened, joined or repeated."""

    incident: str
    new: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """One alert, and how it came."""

    alert: Alert
    came: Came


# Takes all in, with one commit where it can, and says of each what became of it: ReplayedError
# for a signed request that was taken in before; any other exception, that nothing was recorded.
Accept: TypeAlias = Callable[[Sequence[Arrival]], Sequence[Accepted | Exception]]
# Records what a known sender sent and could not be understood: its bytes, and the reason.
Reject: TypeAlias = Callable[[bytes, Came, str], None]
