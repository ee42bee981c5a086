"""Give a host another instance profile, or none, so that it gets no new credentials of the old."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.journal import Json, State
from actions.permission import Permission

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import IamInstanceProfileAssociationTypeDef


@dataclass(frozen=True)
class ReplaceInstanceProfile(Lens[Aws]):
    """Put `profile_arn` in place of the host's instance profile; None takes it away.

    State: `profile` is the ARN of the associated profile, path included, or None.
    Credentials that the host already has stay valid until they expire: deny_instance_sessions is
    what stops those (IAM User Guide, "Use instance profiles"; EC2 API reference,
    "ReplaceIamInstanceProfileAssociation").
    """

    host: Instance
    profile_arn: str | None = None

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        Permission("ec2:DescribeInstances"),
        Permission("ec2:DescribeIamInstanceProfileAssociations"),
        Permission(
            "ec2:AssociateIamInstanceProfile", "arn:{partition}:ec2:{region}:{account}:instance/*"
        ),
        Permission(
            "ec2:DisassociateIamInstanceProfile",
            "arn:{partition}:ec2:{region}:{account}:instance/*",
        ),
        Permission(
            "ec2:ReplaceIamInstanceProfileAssociation",
            "arn:{partition}:ec2:{region}:{account}:instance/*",
        ),
        # For the new profile's role on the way there, and the old one's on the way back.
        Permission(
            "iam:PassRole",
            "arn:{partition}:iam::{account}:role/*",
            {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
        ),
    )

    @property
    def target(self) -> str:
        return self.host.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        describe(p, self.host)
        held = self._association(p)
        return {"profile": held["IamInstanceProfile"]["Arn"] if held else None}

    def wanted(self, before: State) -> State:
        return {"profile": self.profile_arn}

    def write(self, p: Aws, key: str, value: Json) -> None:
        held = self._association(p)
        if held and held["IamInstanceProfile"]["Arn"] == value:
            return
        if held is None and value is not None:
            p.ec2.associate_iam_instance_profile(
                InstanceId=self.host.instance_id, IamInstanceProfile={"Arn": value}
            )
        elif held and value is None:
            p.ec2.disassociate_iam_instance_profile(AssociationId=held["AssociationId"])
        elif held:
            p.ec2.replace_iam_instance_profile_association(
                AssociationId=held["AssociationId"], IamInstanceProfile={"Arn": value}
            )

    def foresee(self, p: Aws, before: State) -> Foreseen:
        return Foreseen(
            blast=("software on the host that uses its role fails, the SSM agent included",),
            lost=("the association's id (AWS issues a new one)",),
        )

    def _association(self, p: Aws) -> "IamInstanceProfileAssociationTypeDef | None":
        found = p.ec2.describe_iam_instance_profile_associations(
            Filters=[
                {"Name": "instance-id", "Values": [self.host.instance_id]},
                {"Name": "state", "Values": ["associating", "associated"]},
            ]
        )["IamInstanceProfileAssociations"]
        return found[0] if found else None
