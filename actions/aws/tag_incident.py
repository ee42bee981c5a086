"""Write the incident's number on the host, where everybody who looks at it sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from actions.action import Lens, Takes
from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.journal import Json, State
from actions.permission import Permission

TAG = "stanch:incident"
ONLY_OURS: Mapping[str, Mapping[str, str | list[str]]] = {
    "ForAllValues:StringEquals": {"aws:TagKeys": [TAG]},
    "Null": {"aws:TagKeys": "false"},
}


@dataclass(frozen=True)
class TagIncident(Lens[Aws]):
    """Tag the instance with the incident.

    State: `tag/stanch:incident` is the tag's value, at most 256 characters, or None. A tag is a
    note and never protection: whoever may tag can change it.
    """

    host: Instance
    incident: str

    takes: ClassVar[Takes] = "nothing"
    permissions: ClassVar = (
        Permission("ec2:DescribeInstances"),
        Permission(
            "ec2:CreateTags", "arn:{partition}:ec2:{region}:{account}:instance/*", ONLY_OURS
        ),
        Permission(
            "ec2:DeleteTags", "arn:{partition}:ec2:{region}:{account}:instance/*", ONLY_OURS
        ),
    )

    @property
    def target(self) -> str:
        return self.host.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        tags = {t["Key"]: t["Value"] for t in describe(p, self.host).get("Tags", [])}
        return {f"tag/{TAG}": tags.get(TAG)}

    def wanted(self, before: State) -> State:
        return {f"tag/{TAG}": self.incident}

    def write(self, p: Aws, key: str, value: Json) -> None:
        ids = [self.host.instance_id]
        if value is None:
            p.ec2.delete_tags(Resources=ids, Tags=[{"Key": TAG}])
        else:
            p.ec2.create_tags(Resources=ids, Tags=[{"Key": TAG, "Value": value}])
