"""Put one narrower policy in the place of some that a user, role or group has."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.policy_holder import (
    HOLDING,
    ROOM,
    PolicyHolder,
    packed,
    read_policies,
    room_left,
    write_policy,
)
from actions.errors import NothingToDoError, UnfitError
from actions.journal import Json, State

OURS = "stanch-reduced-"


@dataclass(frozen=True)
class ReducePermissions(Lens[Aws]):
    """Give the holder `document` as an inline policy, then take off those that it replaces.

    State: `inline/<unique id>/<name>` is a document (a dict), or None, the replacement's first;
    `attached/<unique id>/<ARN>` is True or None. `document` is JSON text; that it still allows what
    is needed is for the caller to know. The replacement is there before what it replaces goes, so
    that nothing it allows is missing in between, on the way back neither.
    """

    holder: PolicyHolder
    document: str
    attached: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = HOLDING

    @property
    def target(self) -> str:
        return self.holder.key

    @property
    def policy_name(self) -> str:
        """Return the replacement's name, which its document gives: two never share one."""
        return OURS + hashlib.sha256(self.document.encode()).hexdigest()[:12]

    def read(self, p: Aws) -> Mapping[str, Json]:
        names = (self.policy_name, *(n for n in self.inline if n != self.policy_name))
        return read_policies(p, self.holder, self.attached, names)

    def wanted(self, before: State) -> State:
        document = json.loads(self.document)
        mine = f"/{self.policy_name}"
        return {key: document if self._is(key, mine) else None for key in before}

    def write(self, p: Aws, key: str, value: Json) -> None:
        write_policy(p, self.holder, key, value)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        mine = f"/{self.policy_name}"
        gone = [key.split("/", 2)[2] for key, v in before.items() if v and not self._is(key, mine)]
        who = f"{self.holder.kind} {self.holder.name}"
        if not gone:
            raise NothingToDoError(f"{who} has none of the policies that are to be reduced.")
        need, left = (
            len("".join(packed(json.loads(self.document)).split())),
            room_left(p, self.holder),
        )
        if any(v is None and self._is(key, mine) for key, v in before.items()) and need > left:
            raise UnfitError(
                f"{who} has {max(left, 0)} of {ROOM[self.holder.kind]} characters left for inline "
                f"policies, and the narrower policy needs {need}. Make a managed policy of it by "
                "hand, attach it, and revoke the wide ones."
            )
        return Foreseen(blast=(f"{who} keeps of {', '.join(gone)} what {self.policy_name} allows",))

    def _is(self, key: str, mine: str) -> bool:
        return key.startswith("inline/") and key.endswith(mine)
