"""The statements that `[forensics]` asks for: certain buckets, and snapshots that Stanch made."""

from typing import Any

from actions.aws.snapshot import OURS
from evidence.sources.s3_versions import S3Versions
from evidence.sources.snapshot_blocks import SnapshotBlocks
from playbooks.wiring.settings import Settings

# What sources read in S3 and of snapshots' blocks is never allowed on every resource.
BY_SETTINGS = ("s3:", "ebs:")


def examining(
    settings: Settings, account: str, region: str, partition: str
) -> list[dict[str, Any]]:
    """Return the statements for logs in buckets, touched objects, and blocks of snapshots."""
    terms = settings.forensics
    found: list[dict[str, Any]] = []
    for buckets, reads in (
        (terms.buckets, ("s3:GetObject", "s3:ListBucket")),
        ({*terms.objects, *_exports(settings, account)}, S3Versions.permissions),
    ):
        if not buckets:
            continue
        arns = [f"arn:{partition}:s3:::{bucket}" for bucket in sorted(buckets)]
        of_objects = sorted(read for read in reads if "Object" in read)
        of_buckets = sorted(set(reads) - {*of_objects})
        found.append(_allow(of_objects, [f"{arn}/*" for arn in arns]))
        found.append(_allow(of_buckets, arns))
    if terms.blocks:
        snapshots = f"arn:{partition}:ec2:{region}::snapshot/*"
        found.append(_allow(SnapshotBlocks.permissions, [snapshots]) | {"Condition": OURS})
        keys = {*terms.keys.values(), *terms.account_keys.values()}
        if mine := sorted(k for k in keys if account in ("*", k.split(":")[4])):
            found.append(_allow(["kms:Decrypt"], mine))
    return found


def _exports(settings: Settings, account: str) -> set[str]:
    """Return the buckets that Vaults' audit logs are exported to, of an account or of all."""
    return {
        vault.export.removeprefix("s3://").partition("/")[0]
        for vault in settings.vaults.values()
        if vault.export and account in ("*", vault.export_account)
    }


def _allow(actions: Any, resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": sorted(actions), "Resource": resources}
