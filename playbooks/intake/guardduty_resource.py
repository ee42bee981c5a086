"""Which resource a GuardDuty finding is about, and the ids a containment would name."""

from typing import Final

from playbooks.intake.alert import Resource, ResourceKind
from playbooks.intake.fields import pick, shaped
from playbooks.intake.identifiers import identifier
from playbooks.intake.strict_json import Json

# resource.resourceType, folded; the guide's prose and the JSON spell clusters differently.
_KINDS: Final[dict[str, ResourceKind]] = {
    "instance": "instance",
    "accesskey": "access_key",
    "s3bucket": "bucket",
    "s3object": "object",
    "lambda": "function",
    "rdsdbinstance": "database",
    "rdslimitlessdb": "database",
    "ekscluster": "eks_cluster",
    "kubernetescluster": "eks_cluster",
    "ecscluster": "ecs_cluster",
    "container": "container",
    "ebssnapshot": "snapshot",
    "ec2image": "image",
    "ebsrecoverypoint": "recovery_point",
    "ec2recoverypoint": "recovery_point",
    "s3recoverypoint": "recovery_point",
    "attacksequence": "attack_sequence",
}
# Where the id of each remaining kind lies below `resource`; the first that is there counts.
_UID_AT: Final[dict[ResourceKind, tuple[str, ...]]] = {
    "function": ("lambdaDetails.functionName",),
    "database": (
        "rdsDbInstanceDetails.dbInstanceIdentifier",
        "rdsLimitlessDbDetails.dbShardGroupIdentifier",
    ),
    "eks_cluster": ("eksClusterDetails.name",),
    "ecs_cluster": ("ecsClusterDetails.taskDetails.arn", "ecsClusterDetails.name"),
    "container": ("containerDetails.id",),
    "snapshot": ("ebsSnapshotDetails.snapshotArn",),
    "image": ("ec2ImageDetails.imageArn",),
    "recovery_point": ("recoveryPointDetails.recoveryPointArn",),
}


def read_resource(finding: Json, problems: list[str]) -> Resource:
    """Return what `finding` is about; what looks wrong with its ids is added to `problems`.

    A key used by an assumed role is the kind `role`: the key itself is temporary and cannot be
    disabled, and `userName` then holds the role's name. Attack sequences carry no resource.
    Raises FieldError, HostileTextError.
    """
    found = shaped(finding, "resource", dict)
    stated = shaped(found, "resourceType", str) or ""
    kind = _KINDS.get("".join(stated.split()).lower(), "unknown")
    if kind == "unknown":
        problems.append(f"resource type {ascii(stated)[:60]} is none we know")
    if kind == "attack_sequence":
        return Resource(kind, None)

    def read(path: str, name: str) -> str | None:
        text = shaped(found, path, str)
        return identifier(name, text, problems) if text else None

    user_type = read("accessKeyDetails.userType", "user type")
    user_name = read("accessKeyDetails.userName", "user name")
    role_name = None
    if user_type == "AssumedRole" and user_name is not None:
        role_name = identifier("role name", user_name, problems)
    if kind == "access_key" and user_type == "AssumedRole":
        kind = "role"
    instance_id = read("instanceDetails.instanceId", "instance id")
    access_key_id = read("accessKeyDetails.accessKeyId", "access key id")
    uids = (read(path, "resource name") for path in _UID_AT.get(kind, ()))
    uid = {
        "instance": instance_id,
        "access_key": access_key_id,
        "role": role_name,
        "bucket": _only_bucket(found, problems) if kind == "bucket" else None,
        "object": _only_bucket(found, problems) if kind == "object" else None,
    }.get(kind) or next((uid for uid in uids if uid), None)
    return Resource(
        kind=kind,
        uid=uid,
        instance_id=instance_id,
        instance_profile_arn=read("instanceDetails.iamInstanceProfile.arn", "instance profile arn"),
        access_key_id=access_key_id,
        principal_id=read("accessKeyDetails.principalId", "principal id"),
        user_name=user_name,
        user_type=user_type,
        role_name=role_name,
    )


def _only_bucket(resource: Json, problems: list[str]) -> str | None:
    buckets = shaped(resource, "s3BucketDetails", list) or []
    if len(buckets) > 1:
        problems.append(f"{len(buckets)} buckets are named, so none is the one to contain")
    if len(buckets) != 1 or pick(buckets[0], "name") is None:
        return None
    return identifier("bucket name", shaped(buckets[0], "name", str) or "", problems)
