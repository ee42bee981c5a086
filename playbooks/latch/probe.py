"""Whether a deny is in effect, seen on a canary: a role that is denied in the same breath.

Never asked of GetCallerIdentity, which answers even those who are denied (AWS STS API Reference),
and never of the target, whose credentials Stanch does not have.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from actions.aws.clients import Aws
from actions.engine import Steps

Verdict = Literal["effective", "not yet", "unknown"]
Look = Callable[[], "Sighting"]
# From the credentials that AssumeRole gives to a function from service and region to client.
Borrowed = Callable[[Mapping[str, Any]], Callable[[str, str], Any]]

ALLOWED, DENIED = "allowed", "denied"
NO = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
SESSION = "stanch-probe"
# Where IAM's own API answers; each region's services learn of a change by themselves.
IAM = "iam"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the canary met, by place (`iam`, or a region): allowed, denied, or an error's code."""

    at: datetime
    places: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Proof:
    """What was seen of a deny.

    `since` is when it first showed everywhere and went on to, `asked` when it was first looked for;
    `places` is the last look.
    """

    verdict: Verdict
    asked: datetime
    since: datetime | None
    looks: int
    places: Mapping[str, str]

    @property
    def took(self) -> timedelta | None:
        """How long it took to show, no more exactly than the looks are apart."""
        return self.since - self.asked if self.since else None

    def json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "verdict": self.verdict,
            "asked": self.asked.isoformat(),
            "since": self.since.isoformat() if self.since else None,
            "looks": self.looks,
            "places": dict(self.places),
        }


@dataclass(frozen=True)
class Canary:
    """A session of the canary role, got before the deny, so that no later one is needed."""

    role: str
    client: Callable[[str, str], Any] = field(repr=False)
    regions: tuple[str, ...]
    now: Callable[[], datetime]

    def look(self) -> Sighting:
        """Make the harmless calls that the canary's policy allows, one in each place."""
        iam = self.client("iam", self.regions[0])
        places = {IAM: _met(lambda: iam.get_role(RoleName=self.role))}
        for region in self.regions:
            places[region] = _met(self.client("ec2", region).describe_regions)
        return Sighting(self.now(), places)


def borrow(
    p: Aws, role: str, regions: tuple[str, ...], borrowed: Borrowed, now: Callable[[], datetime]
) -> Canary:
    """Return a session of the account's canary role. What AWS answers instead is not caught."""
    arn = f"arn:{p.partition}:iam::{p.account}:role/{role}"
    # The least that AssumeRole gives: a quarter of an hour.
    given = p.sts.assume_role(RoleArn=arn, RoleSessionName=SESSION, DurationSeconds=900)
    return Canary(role, borrowed(dict(given["Credentials"])), regions, now)


def verdict(before: Sighting, now: Sighting) -> Verdict:
    """Return what two looks say: one before the deny was asked for, and one after.

    A denial proves the deny only where the same call went through before.
    """
    if ALLOWED in now.places.values():
        return "not yet"
    went = all(before.places.get(place) == ALLOWED for place in now.places)
    return "effective" if went and set(now.places.values()) == {DENIED} else "unknown"


def watch(
    look: Look,
    before: Sighting,
    asked: datetime,
    *,
    steady: int = 3,
    apart: float = 0.5,
    limit: float = 60.0,
) -> Steps[Proof]:
    """Look until the deny, asked for at that time, shows `steady` times in a row everywhere.

    In a row, as answers come from many machines that learn of a change one by one. At most for
    `limit` seconds, and once where no look can prove anything, because the canary met something
    else than leave before. Yields each wait in seconds.
    """
    waited, looks, run = 0.0, 0, list[Sighting]()
    provable = set(before.places.values()) == {ALLOWED}
    while True:
        seen, looks = look(), looks + 1
        said = verdict(before, seen)
        run = [*run, seen] if said == "effective" else []
        if len(run) >= steady:
            return Proof("effective", asked, run[0].at, looks, seen.places)
        if waited >= limit or not provable:
            # Shown, but not often enough in a row: no proof yet.
            last: Verdict = "unknown" if said == "unknown" else "not yet"
            return Proof(last, asked, None, looks, seen.places)
        yield apart
        waited += apart


def _met(call: Callable[[], object]) -> str:
    try:
        call()
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        return DENIED if code in NO else code
    except BotoCoreError as error:
        return type(error).__name__
    return ALLOWED
