"""Turn off the SSH keys with which a user reaches CodeCommit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.iam_target import must_be_a, present
from actions.aws.principal import Principal
from actions.errors import NothingToDoError
from actions.journal import Json, State
from actions.permission import Permission

_USER = "arn:{partition}:iam::{account}:user/*"


@dataclass(frozen=True)
class DeactivateSshKeys(Lens[Aws]):
    """Set every SSH public key of the user to Inactive.

    State: `key/<SSH public key id>` is "Active" or "Inactive". CodeCommit takes a connection by
    such a key (IAM API Reference, "UpdateSSHPublicKey").
    """

    principal: Principal

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        Permission("iam:ListSSHPublicKeys", _USER),
        Permission("iam:UpdateSSHPublicKey", _USER),
    )

    def __post_init__(self) -> None:
        must_be_a("user", self.principal)

    @property
    def target(self) -> str:
        return self.principal.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        with present(self.principal):
            pages = p.iam.get_paginator("list_ssh_public_keys").paginate(
                UserName=self.principal.name
            )
            keys = [key for page in pages for key in page["SSHPublicKeys"]]
        return {f"key/{key['SSHPublicKeyId']}": key["Status"] for key in keys}

    def wanted(self, before: State) -> State:
        return dict.fromkeys(before, "Inactive")

    def write(self, p: Aws, key: str, value: Json) -> None:
        p.iam.update_ssh_public_key(
            UserName=self.principal.name, SSHPublicKeyId=key.removeprefix("key/"), Status=value
        )

    def foresee(self, p: Aws, before: State) -> Foreseen:
        active = [key for key, status in before.items() if status == "Active"]
        if not active:
            raise NothingToDoError(
                f"user {self.principal.name} has no active SSH key, so none is turned off."
            )
        named = ", ".join(key.removeprefix("key/") for key in active)
        return Foreseen(blast=(f"CodeCommit over SSH stops for {named}",))
