"""The kinds of what people record of a notification, and the items of a duty's checklist."""

from collections.abc import Mapping
from typing import Final, Literal

Kind = Literal[
    "fact", "anchor", "withdrawn", "hold", "sent", "not_notifying", "checklist", "confirmed"
]
# Under which kind each stands in the ledger.
LEDGER: Final[Mapping[str, str]] = {
    "fact": "duty.fact",
    "anchor": "duty.anchor",
    "withdrawn": "duty.withdrawn",
    "hold": "duty.hold",
    "sent": "duty.sent",
    "not_notifying": "duty.decided",
    "checklist": "duty.checked",
    "confirmed": "duty.confirmed",
}
DERIVED: Final = "duty.derived"
CHECKS: Final[Mapping[str, str]] = {
    "owner": "who sees to it",
    "evidence": "what proves that it was done: a reference",
    "sign_off": "a person looked at what went out and at this list",
    "delay_reason": "why it went out late",
    "justification": "why the time taken was what the law's words of speed ask for",
    "credit_monitoring": "what was offered to the people concerned, from whom, for how long",
    "lead": "who leads the incident: told where an owner does not answer",
}
