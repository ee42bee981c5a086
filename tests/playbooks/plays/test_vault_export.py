"""Audit logs that go to S3 are kept from there, of the incident's time and no other."""

from datetime import timedelta
from typing import Any

from playbooks.case.case import Case
from playbooks.case.vault_hunting import audit_log
from tests.playbooks.plays.vault_scene import in_vault, opened
from tests.playbooks.scene import Scene, apart


async def body(case: Case) -> None:
    await audit_log(case)


@apart
def test_the_export_of_the_incidents_hours_is_kept_and_no_other(scene: Scene) -> None:
    account, region = scene.estate.account, scene.estate.region
    in_vault(scene, export="s3://vault-audit/prod/%Y/%m/%d/%H/", export_account=account)
    s3, now = scene.aws("s3"), scene.world.now()
    where = {"LocationConstraint": region}
    s3.create_bucket(Bucket="vault-audit", CreateBucketConfiguration=where)
    for hours in (-30, -1, 0, 30):
        at = now + timedelta(hours=hours)
        key = f"prod/{at:%Y/%m/%d/%H}/audit.log.gz"
        s3.put_object(Bucket="vault-audit", Key=key, Body=f"{hours}".encode())
    incident = opened(scene)
    scene.enter(incident, body)
    stored = [e.body for e in scene.entries(incident) if e.leaf.kind == "artifact.stored"]
    contents = [one for one in stored if one["source"] == "s3_versions" and one["sensitive"]]
    assert sorted(one["size"] for one in contents) == ["1", "2"]
    said: list[Any] = [one for one in stored if one["source"] == "vault_audit_log"]
    assert said == []
