"""The IAM actions and resources a request needs (Service Authorization Reference)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.secretsmanager.models import secretsmanager_backends

from playbooks.drills.range.targets_iam import context_for, resource_of
from playbooks.drills.range.targets_services import resources_of

if TYPE_CHECKING:
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.patterns import Values
    from playbooks.drills.range.wire import Asked

EC2_TYPES = {
    "i": "instance",
    "eni": "network-interface",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "vol": "volume",
    "snap": "snapshot",
    "subnet": "subnet",
    "vpc": "vpc",
    "lt": "launch-template",
    "acl": "network-acl",
    "eipalloc": "elastic-ip",
}
# What EC2 lets be read of one resource alone ("Actions defined by Amazon EC2").
OF_ONE = ("DescribeInstanceAttribute", "DescribeSnapshotAttribute")
# Operations whose IAM action is not named like the API operation (S3: Actions defined by S3).
S3_ACTIONS = {
    "ListBuckets": "ListAllMyBuckets",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListObjectVersions": "ListBucketVersions",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
}
# SQS: Actions, resources, and condition keys: a batch needs what its single call needs.
SQS_BATCHES = {"SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"}
PROFILE_OPERATIONS = {
    "RunInstances",
    "AssociateIamInstanceProfile",
    "ReplaceIamInstanceProfileAssociation",
}
# (service, operation) -> the service that the role is passed to, and the parameter that names it.
PASSES = {
    ("iam", "AddRoleToInstanceProfile"): ("ec2.amazonaws.com", "RoleName"),
    ("lambda", "CreateFunction"): ("lambda.amazonaws.com", "Role"),
    ("lambda", "UpdateFunctionConfiguration"): ("lambda.amazonaws.com", "Role"),
    ("events", "PutRule"): ("events.amazonaws.com", "RoleArn"),
}


@dataclass(frozen=True, slots=True)
class Need:
    """One permission: an action on a resource, with the context keys that belong to both."""

    action: str
    resource: str = "*"
    context: Mapping[str, Values] = field(default_factory=dict)


def needed(ground: Ground, asked: Asked, account: str) -> list[Need]:
    """All permissions the request needs, dependent ones (CreateTags, PassRole) included."""
    action = f"{asked.service}:{_action_name(asked)}"
    if asked.service == "ec2":
        return _ec2(ground, asked, account, action)
    context = {**_request_tags(asked.params.get("Tags", []))}
    if asked.service == "iam":
        context |= context_for(ground, asked, account)
    if asked.service == "ebs" and (snapshot := asked.params.get("SnapshotId")):
        context |= _resource_tags(ground.ec2(account, asked.region), str(snapshot))
    needs = [Need(action, resource, context) for resource in _resources(ground, asked, account)]
    return [*needs, *_passed(ground, asked, account)]


def is_read(operation: str) -> bool:
    """Whether an operation only reads, by AWS's naming."""
    return operation.startswith(
        ("Describe", "Get", "List", "Lookup", "Head", "Search", "Simulate", "Decode", "BatchGet")
    )


def _action_name(asked: Asked) -> str:
    if asked.service == "sqs" and asked.operation in SQS_BATCHES:
        return asked.operation.removesuffix("Batch")
    return (
        S3_ACTIONS.get(asked.operation, asked.operation)
        if asked.service == "s3"
        else asked.operation
    )


def _queue(asked: Asked, account: str) -> str:
    # .../<account>/<name>, or the bare name of one's own (SQS: Queue and message identifiers).
    *_, owner, name = ["", account, *str(asked.params["QueueUrl"]).split("/")]
    return f"arn:aws:sqs:{asked.region}:{owner if owner.isdigit() else account}:{name}"


def _ec2(ground: Ground, asked: Asked, account: str, action: str) -> list[Need]:
    # Snapshots and images belong to no account in their ARNs ("Resource types defined by EC2").
    nobody = f"arn:aws:ec2:{asked.region}:"
    owned = f"arn:aws:ec2:{asked.region}:{account}"

    def where(kind: str) -> str:
        return f"{nobody if kind in ('snapshot', 'image') else owned}:{kind}"

    if is_read(asked.operation) and asked.operation not in OF_ONE:
        return [Need(action)]
    ids = sorted(set(_ids(asked.params)))
    created = _tag_specifications(asked.params)
    backend = ground.ec2(account, asked.region)
    needs = [
        Need(action, f"{where(EC2_TYPES[i.split('-')[0]])}/{i}", _resource_tags(backend, i))
        for i in ids
    ]
    for kind, tags in created.items():
        needs.append(Need(action, f"{where(kind)}/*", _request_tags(tags)))
        needs.append(
            Need(
                "ec2:CreateTags",
                f"{where(kind)}/*",
                {**_request_tags(tags), "ec2:createaction": (asked.operation,)},
            )
        )
    if asked.operation in ("CreateTags", "DeleteTags"):
        tags = _request_tags(asked.params.get("Tags", []))
        needs = [Need(n.action, n.resource, {**n.context, **tags}) for n in needs]
    if asked.operation in PROFILE_OPERATIONS and asked.params.get("IamInstanceProfile"):
        role = _role_of_profile(ground, account, asked.params["IamInstanceProfile"])
        passed = {"iam:passedtoservice": ("ec2.amazonaws.com",)}
        needs.append(Need("iam:PassRole", role, passed))
    return needs or [Need(action)]


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if "-" in value and value.split("-")[0] in EC2_TYPES and value.split("-")[1].isalnum():
            yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in ("Filters", "TagSpecifications", "Tags", "Description", "UserData"):
                yield from _ids(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _ids(inner)


def _tag_specifications(params: Mapping[str, Any]) -> dict[str, Any]:
    return {s["ResourceType"]: s.get("Tags", []) for s in params.get("TagSpecifications", [])}


def _request_tags(tags: Any) -> dict[str, Values]:
    if not isinstance(tags, list) or not tags or not isinstance(tags[0], Mapping):
        return {}
    context: dict[str, Values] = {
        f"aws:requesttag/{t['Key']}".lower(): (t.get("Value", ""),) for t in tags
    }
    return {**context, "aws:tagkeys": tuple(t["Key"] for t in tags)}


def _resource_tags(backend: Any, resource_id: str) -> dict[str, Values]:
    tags = backend.tags.get(resource_id, {})
    return {
        f"{prefix}:resourcetag/{key}".lower(): (value,)
        for key, value in tags.items()
        for prefix in ("aws", "ec2")
    }


def _role_of_profile(ground: Ground, account: str, profile: Mapping[str, str]) -> str:
    for known in ground.iam(account).instance_profiles.values():
        if (known.arn == profile.get("Arn") or known.name == profile.get("Name")) and known.roles:
            return str(known.roles[0].arn)
    return "*"


def secret_arn(asked: Asked, account: str) -> str:
    """The ARN of the secret that a request names: by name, by ARN, or by one without its end."""
    backend: Any = secretsmanager_backends[account][asked.region]
    named = str(asked.params["SecretId"])
    secret = backend.secrets.get(named)
    unknown = f"arn:aws:secretsmanager:{asked.region}:{account}:secret:{named}"
    return str(secret.arn) if secret else unknown


def _passed(ground: Ground, asked: Asked, account: str) -> list[Need]:
    """iam:PassRole, where a request hands a role to a service (IAM: Grant permissions to pass)."""
    service, given = PASSES.get((asked.service, asked.operation), ("", ""))
    role = asked.params.get(given)
    if not role:
        return []
    known = ground.iam(account).roles.values()
    arn = next((r.arn for r in known if role in (r.arn, r.name)), role)
    return [Need("iam:PassRole", str(arn), {"iam:passedtoservice": (service,)})]


def _group_of(ground: Ground, asked: Asked, account: str) -> str | None:
    """The scaling group of the instance that a request names without naming its group."""
    named = asked.params.get("InstanceId")
    if not named:
        return None
    groups = ground.autoscaling(account, asked.region).autoscaling_groups.values()
    holding = (g.name for g in groups if named in [s.instance.id for s in g.instance_states])
    return next(holding, None)


def _resources(ground: Ground, asked: Asked, account: str) -> list[str]:
    params = asked.params
    if asked.service == "iam":
        return [resource_of(ground, asked, account)]
    if asked.service == "sts" and params.get("RoleArn"):
        return [str(params["RoleArn"])]
    if asked.service == "s3" and params.get("Bucket"):
        key = f"/{params['Key']}" if params.get("Key") else ""
        return [f"arn:aws:s3:::{params['Bucket']}{key}"]
    if asked.service == "autoscaling" and not is_read(asked.operation):
        group = params.get("AutoScalingGroupName") or _group_of(ground, asked, account)
        if group:
            where = f"arn:aws:autoscaling:{asked.region}:{account}"
            return [f"{where}:autoScalingGroup:*:autoScalingGroupName/{group}"]
    if asked.service == "ebs" and params.get("SnapshotId"):
        return [f"arn:aws:ec2:{asked.region}::snapshot/{params['SnapshotId']}"]
    if asked.service == "sqs" and params.get("QueueUrl"):
        return [_queue(asked, account)]
    if asked.service == "secretsmanager" and params.get("SecretId"):
        return [secret_arn(asked, account)]
    if asked.service == "rds" and (named := params.get("DBInstanceIdentifier")):
        return [f"arn:aws:rds:{asked.region}:{account}:db:{named}"]
    if asked.service == "rds" and params.get("ResourceName"):
        return [str(params["ResourceName"])]
    if asked.service == "elasticloadbalancing" and not is_read(asked.operation):
        arn = params.get("TargetGroupArn") or params.get("LoadBalancerArn")
        return [str(arn)] if arn else ["*"]
    return resources_of(asked, account) or ["*"]
