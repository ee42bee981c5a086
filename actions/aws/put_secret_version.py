"""Put a new random value beside the current one of a secret, where no consumer reads it yet."""

import json
from dataclasses import dataclass
from typing import ClassVar

from botocore.exceptions import ClientError

from actions.action import Foreseen, Takes
from actions.aws.clients import Aws
from actions.aws.key_shape import opened
from actions.aws.key_store import must_be_free, token
from actions.aws.secret import (
    CURRENT,
    PENDING,
    PUTTING,
    READING,
    Secret,
    describe,
    labels,
    value_of,
)
from actions.errors import UnfitError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.permission import Permission

# What no engine of RDS takes in a master password (Amazon RDS User Guide, "Constraints for the
# master password"), and what breaks connection strings.
UNWANTED = "/@\"'\\ "


@dataclass(frozen=True)
class PutSecretVersion(OneWay[Aws]):
    """Put a version with the label AWSPENDING, whose `field` is a new password of `length`.

    The other fields of the current version's JSON object are kept; with no `field`, the whole
    text is the password. AWS draws the password (Secrets Manager API reference,
    "GetRandomPassword"). The version's id is its ClientRequestToken, drawn from the mark, so a
    second try is refused by AWS or finds the first. The result is {"version": its id}.
    """

    secret: Secret
    field: str = "password"
    length: int = 32

    destroys: ClassVar = False
    takes: ClassVar[Takes] = "nothing"
    permissions: ClassVar = (
        *READING,
        Permission("secretsmanager:GetRandomPassword"),
        *PUTTING,
    )

    @property
    def target(self) -> str:
        return self.secret.key

    def facts(self, p: Aws) -> Result:
        return {"labels": labels(describe(p, self.secret))}

    def foresee(self, p: Aws, before: State) -> Foreseen:
        must_be_free(describe(p, self.secret), self.secret, "")
        if CURRENT not in before["labels"]:
            raise UnfitError(
                f"secret {self.secret.name} has no current version, so what a new one must look "
                "like is not known. Put a first value (PutSecretValue)."
            )
        self._frame(p)
        return Foreseen(
            (f"a new version of {self.secret.name} waits as {PENDING}, read by nobody",)
        )

    def do(self, p: Aws, mark: str, approval: str | None) -> None:
        frame = self._frame(p)
        new = p.secretsmanager.get_random_password(
            PasswordLength=self.length, ExcludeCharacters=UNWANTED
        )["RandomPassword"]
        try:
            p.secretsmanager.put_secret_value(
                SecretId=self.secret.name,
                SecretString=json.dumps({**frame, self.field: new}) if self.field else new,
                ClientRequestToken=token(mark),
                VersionStages=[PENDING],
            )
        except ClientError as error:
            # An earlier try came through after all: its value stands.
            if error.response["Error"]["Code"] != "ResourceExistsException":
                raise

    def find(self, p: Aws, mark: str) -> Result | None:
        there = describe(p, self.secret).get("VersionIdsToStages", {})
        return {"version": token(mark)} if there.get(token(mark)) else None

    def _frame(self, p: Aws) -> dict[str, object]:
        """Return what stays of the current version. Raise UnfitError where the field is not in."""
        if not self.field:
            return {}
        current = labels(describe(p, self.secret))[CURRENT]
        held = opened(value_of(p, self.secret, current), self.secret.name)
        if self.field not in held:
            raise UnfitError(
                f"secret {self.secret.name} has no field {self.field!r}. Name the field that holds "
                "what is to be new."
            )
        return held
