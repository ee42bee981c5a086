"""Give a database the master password that waits in its secret, before the secret's readers do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.database import Database, describe
from actions.aws.key_shape import opened
from actions.aws.secret import CURRENT, READING, Secret, labels, value_of
from actions.aws.secret import describe as describe_secret
from actions.errors import ProviderError, UnfitError
from actions.journal import Json, State
from actions.permission import Permission

# The version that is being set, and the one before it; and the one that was set.
BEGUN, SET = "stanch:master-password-begun", "stanch:master-password"
ONLY_OURS: Mapping[str, Mapping[str, str | list[str]]] = {
    "ForAllValues:StringEquals": {"aws:TagKeys": [BEGUN, SET]},
    "Null": {"aws:TagKeys": "false"},
}
DB = "arn:{partition}:rds:{region}:{account}:db:*"


@dataclass(frozen=True)
class RotateMasterPassword(Lens[Aws]):
    """Set the master password of a DB instance to that in version `to` of its secret.

    State: `password` is the id of the secret's version that the password is from. RDS tells no
    password, so which one is being set is written into the instance's tags before each change,
    and that it was, after it; without those tags it is taken to be the current version. The value
    goes from Secrets Manager to RDS within one write, and a second write sets the same one;
    `field` names it in the secret. Logins that are open stay open; RDS changes the password a
    while after it was asked to, whatever the maintenance window (Amazon RDS API reference,
    "ModifyDBInstance", MasterUserPassword). Whether it lets anybody in is seen by
    move_secret_stages.
    """

    database: Database
    secret: Secret
    to: str = ""
    field: str = "password"

    takes: ClassVar[Takes] = "access"
    apart: ClassVar[float] = 2.0
    limit: ClassVar[float] = 300.0
    permissions: ClassVar = (
        Permission("rds:DescribeDBInstances", DB),
        Permission("rds:ModifyDBInstance", DB),
        Permission("rds:AddTagsToResource", DB, ONLY_OURS),
        *READING,
    )

    @property
    def target(self) -> str:
        return self.database.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        found = describe(p, self.database)
        noted = _tags(found)
        if BEGUN not in noted:
            return {"password": labels(describe_secret(p, self.secret)).get(CURRENT)}
        to, before = noted[BEGUN].split()
        return {"password": to if noted.get(SET) == to and not _changing(found) else before}

    def wanted(self, before: State) -> State:
        return {"password": self.to}

    def write(self, p: Aws, key: str, value: Json) -> None:
        held = opened(value_of(p, self.secret, value), self.secret.name)
        if not held.get(self.field):
            raise UnfitError(
                f"version {value} of secret {self.secret.name} has no field {self.field!r}. Name "
                "the field that holds the master password."
            )
        before = self.read(p)["password"]
        begun = f"{value} {before}"
        self._note(p, BEGUN, begun)
        if _tags(describe(p, self.database)).get(BEGUN) != begun:
            raise ProviderError(
                "AddTagsToResource", "NotYet", f"{BEGUN} does not show", passing=True
            )
        p.rds.modify_db_instance(
            DBInstanceIdentifier=self.database.name,
            MasterUserPassword=held[self.field],
            ApplyImmediately=True,
        )
        if not _changing(describe(p, self.database)):
            # It takes RDS a while, so what never showed was not begun: set again, to the same.
            raise ProviderError("ModifyDBInstance", "NotYet", "no change shows", passing=True)
        self._note(p, SET, value)

    def _note(self, p: Aws, tag: str, value: str) -> None:
        tags: Any = [{"Key": tag, "Value": value}]
        arn = describe(p, self.database)["DBInstanceArn"]
        p.rds.add_tags_to_resource(ResourceName=arn, Tags=tags)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        found = describe(p, self.database)
        if found.get("MasterUserSecret"):
            raise UnfitError(
                f"RDS itself manages the master password of {self.database.name}, in a secret of "
                "its own. Let it rotate that (ModifyDBInstance, RotateMasterUserPassword)."
            )
        if found.get("DBClusterIdentifier"):
            raise UnfitError(
                f"{self.database.name} belongs to cluster {found['DBClusterIdentifier']}, whose "
                "master password is the cluster's. Change it there (ModifyDBCluster)."
            )
        blast = (
            f"new logins to {self.database.name} with the old master password fail from then on, "
            f"until its readers take the new one from {self.secret.name}",
        )
        return Foreseen(blast)


def _tags(found: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found.get("TagList", [])}


def _changing(found: Mapping[str, Any]) -> bool:
    return "MasterUserPassword" in found.get("PendingModifiedValues", {})
