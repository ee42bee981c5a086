"""Give Vault's AWS engine another access key for its own IAM user."""

from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen
from actions.errors import NothingToDoError, TargetGoneError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.vault.clients import Vault
from actions.vault.policy import may


@dataclass(frozen=True)
class RotateAwsRoot(OneWay[Vault]):
    """Rotate the root credentials of an AWS engine away from the access key `key_id`.

    The result is {"access_key": the new key's id}. Vault makes a key, keeps its secret from
    everybody, and deletes the old one; this works only while the IAM user has one key, and for
    some seconds afterwards calls through the engine may fail (Vault API docs, "AWS secrets
    engine", "Rotate root IAM credentials", "Read root configuration"). Sessions that the old
    key opened by AssumeRole live on: deny them in AWS.
    """

    vault: str
    mount: str
    key_id: str

    permissions: ClassVar = (
        *may("{aws}/config/root", "read"),
        *may("{aws}/config/rotate-root", "update"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/{self.mount}/config/root"

    def facts(self, p: Vault) -> Result:
        found = p.get(f"{self.mount}/config/root")
        if found is None or not found.get("access_key"):
            raise TargetGoneError(
                f"the AWS engine at {self.mount} has no access key of its own. It uses the role "
                "of its host: act on that in AWS."
            )
        return {"access_key": found["access_key"]}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        if before["access_key"] != self.key_id:
            raise NothingToDoError(
                f"the AWS engine at {self.mount} uses {before['access_key']}, not {self.key_id}."
            )
        return Foreseen(
            blast=(f"{self.mount} may fail for some seconds, until IAM knows the new key",),
            lost=(f"access key {self.key_id}, which Vault deletes",),
        )

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        p.client.secrets.aws.rotate_root_iam_credentials(mount_point=self.mount)

    def find(self, p: Vault, mark: str) -> Result | None:
        found = self.facts(p)
        return None if found["access_key"] == self.key_id else found
