"""A user on the range whose key is kept in a secret, and a process that works with it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playbooks.drills.range.world import World
from playbooks.drills.watch import until

USER, SECRET = "runner", "shop/runner"


@dataclass(frozen=True, slots=True)
class Kept:
    """The key in use when the drill begins, and what the consumer's process may do: read it."""

    key: str
    secrets: list[str] = field(repr=False)
    environment: dict[str, str] = field(repr=False)


def kept_key(world: World) -> Kept:
    """Make the user, its key, the secret that holds it, and another user who may read that."""
    iam, manager = (world.client(name, world.admin) for name in ("iam", "secretsmanager"))
    iam.create_user(UserName=USER, Path="/build/")
    made = iam.create_access_key(UserName=USER)["AccessKey"]
    held = {
        "aws_access_key_id": made["AccessKeyId"],
        "aws_secret_access_key": made["SecretAccessKey"],
    }
    manager.create_secret(Name=SECRET, SecretString=json.dumps(held))
    iam.create_user(UserName="reads-secrets")
    may = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_user_policy(UserName="reads-secrets", PolicyName="read", PolicyDocument=document)
    own = iam.create_access_key(UserName="reads-secrets")["AccessKey"]
    environment = {
        "AWS_ACCESS_KEY_ID": own["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": own["SecretAccessKey"],
        "AWS_DEFAULT_REGION": world.region,
    }
    return Kept(made["AccessKeyId"], [made["SecretAccessKey"]], environment)


@dataclass(frozen=True, slots=True)
class Working:
    """A consumer at work, and what it says of each call."""

    out: Path

    @property
    def calls(self) -> list[str]:
        """Return what was said of each call that is over: the key's id, and ok or what failed."""
        return self.out.read_text().rpartition("\n")[0].splitlines()

    def failed(self) -> list[str]:
        """Return the calls that failed."""
        return [call for call in self.calls if not call.endswith(" ok")]

    def works(self, key: str = "", count: int = 3) -> bool:
        """Return whether so many more calls go well soon, with this key if one is named."""
        before = len(self.calls)

        def so() -> bool:
            since = self.calls[before:]
            return len([c for c in since if c.startswith(key) and c.endswith(" ok")]) >= count

        until(so, 20.0)
        return so()


@contextmanager
def working(folder: Path, endpoint: str, kept: Kept) -> Iterator[Working]:
    """Run a consumer that reads the key before each call, while the block runs."""
    out = folder / "consumer"
    arguments = ["-m", "playbooks.drills.consumer", "each", SECRET, endpoint]
    with out.open("wb") as written, out.with_suffix(".log").open("wb") as log:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            [sys.executable, *arguments],
            env=os.environ | kept.environment,
            stdin=subprocess.PIPE,
            stdout=written,
            stderr=log,
        )
        try:
            yield Working(out)
        finally:
            if child.stdin:
                child.stdin.close()
            child.wait(30)


def key_now(clients: Any) -> dict[str, str]:
    """Return the key that consumers read now."""
    text = clients("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"]
    found: dict[str, str] = json.loads(text)
    return found


def states(clients: Any) -> dict[str, str]:
    """Return the user's keys: id -> Active or Inactive."""
    listed = clients("iam").list_access_keys(UserName=USER)["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in listed}
