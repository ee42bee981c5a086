"""An attacker and colleagues at work in the range, and what CloudTrail has of it."""

import json
from types import SimpleNamespace
from typing import Any

from evidence.sources.item import Item, Missed
from evidence.sources.principal_changes import PrincipalChanges
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.world import World

ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
LAG = 16 * 60.0


def trusting(principal: str) -> str:
    """A trust policy for one principal."""
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Story:
    """A world with people in it. `theirs` are the ids of the calls made as somebody."""

    def __init__(self) -> None:
        self.world = World(seed=11, clock=lambda: 1_790_000_000.0)
        self.first = self.world.now()
        self.here = f"arn:aws:iam::{self.world.account}"
        self.iam = self.world.client("iam", self.world.admin)

    def user(self, name: str) -> Credentials:
        """A user who may do everything, and a key of theirs, by the administrator."""
        self.iam.create_user(UserName=name)
        self.iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=json.dumps(ALL))
        return self.key(self.world.admin, name)

    def key(self, by: Credentials, name: str) -> Credentials:
        """A new key of a user, made with these credentials."""
        made = self.world.client("iam", by).create_access_key(UserName=name)["AccessKey"]
        return Credentials(made["AccessKeyId"], made["SecretAccessKey"])

    def session(self, by: Credentials, role: str, name: str = "session") -> Credentials:
        """A session of a role, got with these credentials."""
        given = self.world.client("sts", by).assume_role(
            RoleArn=f"{self.here}:role/{role}", RoleSessionName=name
        )["Credentials"]
        return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def role(self, by: Credentials, name: str, principal: str = "") -> None:
        """A role that may do everything, trusting the account or one principal."""
        iam = self.world.client("iam", by)
        trust = trusting(principal or f"{self.here}:root")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(ALL))

    def changed_by(self, *keys: Credentials) -> set[str]:
        """The ids of what was really changed, or assumed, with these keys."""
        mine = {k.access_key for k in keys}
        return {
            c.request_id
            for c in self.world.calls
            if c.access_key in mine and not c.error and (c.mutating or c.operation == "AssumeRole")
        }

    def source(self, **whom: Any) -> PrincipalChanges:
        """The sweep from the first moment until now, CloudTrail having caught up."""
        self.world.tick(LAG)
        empty = {"users": (), "roles": (), "access_key_ids": ()}
        where = {"account": self.world.account, "region": self.world.region}
        times = {"start": self.first, "end": self.world.now()}
        return PrincipalChanges(**(empty | whom | where | times))

    def sweep(self, source: PrincipalChanges) -> tuple[list[Item], list[Missed]]:
        """What the source kept, and what it missed."""
        regions = (self.world.region, "us-east-1")
        made = {r: self.world.client("cloudtrail", self.world.admin, r) for r in regions}
        found = list(source.collect(SimpleNamespace(cloudtrails=made)))
        return (
            [one for one in found if isinstance(one, Item)],
            [one for one in found if isinstance(one, Missed)],
        )
