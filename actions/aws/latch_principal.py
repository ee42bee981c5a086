"""Deny everything to principals from above their account, where they cannot take it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from actions.action import Foreseen, Lens, Takes
from actions.aws import latch
from actions.aws.clients import Aws
from actions.aws.principal import GLOBAL
from actions.errors import ProviderError, TargetGoneError, UnfitError
from actions.journal import Json, State
from actions.permission import Permission

# How often what was written is looked at before it is written anew.
LOOKS = 10
POLICIES = "arn:{partition}:organizations::*:policy/o-*/service_control_policy/p-*"


@dataclass(frozen=True)
class LatchPrincipal(Lens[Aws]):
    """Name principals in the organisation's latch, a service control policy attached beforehand.

    `admin` is the delegated administrator's account (12 digits), `policy` the latch (p-...),
    `principals` the ARNs of users and roles; a role's binds every session of it. State: each ARN is
    True where the latch names it, else None; what else the latch holds is left as it is.

    Two writers: UpdatePolicy has no check-and-set (AWS Organizations API Reference). What was
    written is read back, and written anew where another writer's document came between; no client
    sends it again by itself; verifying reads again after `apart`. A writer that stalls for longer
    than that between its read and its write can still drop an entry: latch again (`again=...`)
    before the end is declared.
    """

    admin: str
    policy: str
    principals: tuple[str, ...]
    characters: int = latch.ROOM

    takes: ClassVar[Takes] = "access"
    apart: ClassVar[float] = 2.0
    permissions: ClassVar = (
        Permission("organizations:DescribePolicy", POLICIES),
        Permission("organizations:UpdatePolicy", POLICIES),
    )

    @property
    def target(self) -> str:
        return f"{self.admin}/{GLOBAL}/latch/{self.policy}"

    def read(self, p: Aws) -> Mapping[str, Json]:
        named = latch.latched(self._content(p))
        return {arn: True if arn in named else None for arn in self.principals}

    def wanted(self, before: State) -> State:
        return dict.fromkeys(before, True)

    def write(self, p: Aws, key: str, value: Json) -> None:
        before = self._content(p)
        after = latch.turned(before, key, on=value is True)
        self._must_fit(before, after)
        p.organizations.meta.events.register(
            "request-created.organizations.UpdatePolicy", _once, unique_id="stanch-latch"
        )
        p.organizations.update_policy(PolicyId=self.policy, Content=after)
        self._must_show(p, key, before, after)

    def _must_show(self, p: Aws, key: str, before: str, after: str) -> None:
        """Raise a passing error unless the policy comes to name whom it was written to name.

        Looked at until it does: the next write starts from what is read, and must not start from
        what was so before this one.
        """
        found = expected = set(latch.latched(after))
        for _ in range(LOOKS):
            found = set(latch.latched(self._content(p)))
            if expected - {key} <= found and (key in found) == (key in expected):
                return
            if found != set(latch.latched(before)):
                break
        raise ProviderError(
            "UpdatePolicy",
            "NotShown",
            f"the latch names {len(found)} principals, expected {len(expected)}; another writer "
            "came between, or it shows late",
            passing=True,
        )

    def foresee(self, p: Aws, before: State) -> Foreseen:
        content = after = self._content(p)
        for arn in self.principals:
            after = latch.turned(after, arn, on=True)
        self._must_fit(content, after)
        left = latch.room(after, self.characters)
        blast = [f"{arn}: {_whom(arn)}" for arn in self.principals if before.get(arn) is None]
        blast.append(
            f"the latch then has room for {left.characters} characters, about {left.principals} "
            "principals more"
        )
        return Foreseen(tuple(blast))

    def _must_fit(self, before: str, after: str) -> None:
        if len(after) <= self.characters or len(after) <= len(before):
            return
        left = latch.room(before, self.characters)
        raise UnfitError(
            f"the latch {self.policy} names {len(latch.latched(before))} principals and has room "
            f"for {left.characters} characters (about {left.principals} principals) of "
            f"{self.characters}; this needs {len(after) - len(before)}. Release incidents that "
            "are over, or deny in the account with deny_principal, which is race-exposed."
        )

    def _content(self, p: Aws) -> str:
        try:
            found = p.organizations.describe_policy(PolicyId=self.policy)
        except ClientError as error:
            if error.response["Error"]["Code"] != "PolicyNotFoundException":
                raise
            raise TargetGoneError(
                f"there is no policy {self.policy} (any more) for account {self.admin}. Run "
                "`stanch latch check`, and look at who deleted it (CloudTrail)."
            ) from error
        return str(found["Policy"]["Content"])


def _once(request: Any, **_: Any) -> None:
    """Let no client send an update a second time: by then it holds what was read seconds ago.

    The engine writes again instead, from what is read then. Each attempt makes a request of its
    own, which knows its number (boto3 guide, "Extensibility guide").
    """
    if request.context.get("retries", {}).get("attempt", 1) > 1:
        raise ProviderError(
            "UpdatePolicy", "NotSentAgain", "failed once; is read anew", passing=True, refused=False
        )


def _whom(arn: str) -> str:
    kind = arn.rpartition(":")[2].partition("/")[0]
    if kind == "role":
        return "every session of the role is denied everything, whoever holds it"
    if kind == "user":
        return "every key and session of the user is denied everything, federation tokens not"
    return "is denied everything"
