"""Some of AWS's own managed policies exist and can be attached.

AWS managed policies: AdministratorAccess, ReadOnlyAccess, AWSDenyAll, and the
AWSCompromisedKeyQuarantine ones that AWS attaches to a user whose key it finds in public (AWS
Managed Policy Reference). The texts are the range's own and shorter: what each is for, no more.
Nobody can change them (IAM: "You cannot change the permissions defined in AWS managed policies").
moto has none unless told to load all 1,300.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.iam import models
from moto.moto_api._internal import mock_random

from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

PREFIX = "arn:aws:iam::aws:policy/"
# What leaked keys are used for first: more identities, and machines at the owner's cost.
QUARANTINED = [
    *("iam:AddUserToGroup", "iam:Attach*Policy", "iam:CreateAccessKey", "iam:CreateLoginProfile"),
    *("iam:CreateRole", "iam:CreateUser", "iam:DetachUserPolicy", "iam:PassRole", "iam:Put*Policy"),
    *("iam:UpdateAccessKey", "iam:UpdateAssumeRolePolicy", "ec2:RunInstances"),
    *("ec2:RequestSpotInstances", "lambda:CreateFunction", "organizations:CreateAccount"),
]
READ_SERVICES = ("autoscaling", "cloudtrail", "ec2", "events", "iam", "lambda", "rds", "s3", "sqs")
READS = [f"{service}:{verb}*" for service in READ_SERVICES for verb in ("Describe", "Get", "List")]
TEXTS: dict[str, dict[str, Any]] = {
    "AdministratorAccess": {"Effect": "Allow", "Action": "*", "Resource": "*"},
    "ReadOnlyAccess": {"Effect": "Allow", "Action": READS, "Resource": "*"},
    "AWSDenyAll": {"Effect": "Deny", "Action": "*", "Resource": "*"},
    "AWSCompromisedKeyQuarantineV2": {"Effect": "Deny", "Action": QUARANTINED, "Resource": "*"},
    "AWSCompromisedKeyQuarantineV3": {"Effect": "Deny", "Action": QUARANTINED, "Resource": "*"},
}


def refuse(_ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """What would change a managed policy is refused for AWS's own."""
    if str(asked.params.get("PolicyArn", "")).startswith(PREFIX):
        raise AwsError("AccessDenied", "An AWS managed policy cannot be changed.", 403)
    return onward()


def mend() -> None:
    """Give every account's IAM these policies."""
    backend: Any = models.IAMBackend
    backend._init_aws_policies = _policies


def _policies(backend: Any) -> list[Any]:
    made = []
    before = mock_random.getstate()
    for name, statement in TEXTS.items():
        mock_random.seed(name)
        data = {
            "Arn": PREFIX + name,
            "Path": "/",
            "DefaultVersionId": "v1",
            "CreateDate": "2015-02-06T18:39:46+00:00",
            "UpdateDate": "2015-02-06T18:39:46+00:00",
            "Document": {"Version": "2012-10-17", "Statement": [statement]},
        }
        policy: Any = models.AWSManagedPolicy
        made.append(policy.from_data(name, backend.account_id, backend.region_name, data))
    mock_random.setstate(before)
    return made


CORRECTIONS: Corrections = {
    ("iam", operation): refuse
    for operation in (
        "CreatePolicyVersion",
        "SetDefaultPolicyVersion",
        "DeletePolicyVersion",
        "DeletePolicy",
        "TagPolicy",
        "UntagPolicy",
    )
}
