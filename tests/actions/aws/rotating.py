"""A user with one access key, kept in a secret that its consumers read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actions.aws.principal import Principal
from actions.aws.secret import Secret
from playbooks.drills.range.keys import Credentials

if TYPE_CHECKING:
    from playbooks.drills.range.world import World

USER, NAME = "ci", "shop/ci"


@dataclass(frozen=True)
class Held:
    """Who holds the key, which one it is, and where it is kept, in which version."""

    user: Principal
    key: str
    secret: Secret
    version: str


def hold(world: World) -> Held:
    """Make user, key and secret."""
    iam, manager = (world.client(n, world.admin) for n in ("iam", "secretsmanager"))
    iam.create_user(UserName=USER, Path="/bots/")
    made = iam.create_access_key(UserName=USER)["AccessKey"]
    text = {
        "aws_access_key_id": made["AccessKeyId"],
        "aws_secret_access_key": made["SecretAccessKey"],
        "region": world.region,
    }
    version = manager.create_secret(Name=NAME, SecretString=json.dumps(text))["VersionId"]
    return Held(
        Principal(world.account, "user", USER),
        made["AccessKeyId"],
        Secret(world.account, world.region, NAME),
        version,
    )


def text_of(world: World, version: str = "", label: str = "") -> dict[str, Any]:
    """Return what a version of the secret holds; the current one unless told otherwise."""
    which = {"VersionId": version} if version else {"VersionStage": label or "AWSCURRENT"}
    manager = world.client("secretsmanager", world.admin)
    text = manager.get_secret_value(SecretId=NAME, **which)["SecretString"]
    found: dict[str, Any] = json.loads(text)
    return found


def keys(world: World) -> dict[str, str]:
    """Return key id -> status of the user's keys."""
    listed = world.client("iam", world.admin).list_access_keys(UserName=USER)
    return {k["AccessKeyId"]: k["Status"] for k in listed["AccessKeyMetadata"]}


def who(world: World, held: dict[str, Any]) -> str:
    """Return whom the key in a secret's text lets in as."""
    found = Credentials(held["aws_access_key_id"], held["aws_secret_access_key"])
    arn: str = world.client("sts", found).get_caller_identity()["Arn"]
    return arn
