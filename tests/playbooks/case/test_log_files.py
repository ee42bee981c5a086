"""Log files are fetched once they must be there; what is not set up is said, not passed over."""

import json
from typing import Any

from playbooks.case.answers import Kept
from playbooks.case.case import Case
from playbooks.case.log_files import AFTER, log_files, touched
from playbooks.wiring.forensics_terms import Forensics
from tests.playbooks.scene import Scene, apart


async def body(case: Case) -> None:
    await log_files(case, case.target)


def kept(scene: Scene, incident: Any) -> dict[str, dict[str, Any]]:
    """Return what keep recorded, by its step."""
    found = [e.body for e in scene.entries(incident) if e.leaf.kind == "keep.done"]
    return {one["step"]: one for one in found}


def outcomes(scene: Scene, incident: Any) -> dict[str, Any]:
    """Return what sources said at their end, by the source's name."""
    stored = [e.body for e in scene.entries(incident) if e.leaf.kind == "artifact.stored"]
    return {
        one["source"]: json.loads(scene.parts.locker.read(one["stored_sha256"]))
        for one in stored
        if one["name"].endswith(".outcome")
    }


def later(scene: Scene, incident: Any) -> None:
    scene.world.tick(AFTER.total_seconds())
    scene.enter(incident, body)


@apart
def test_a_trail_that_nobody_named_is_on_record_at_once_with_what_to_do(scene: Scene) -> None:
    incident, _ = scene.play(body)
    found = kept(scene, incident)
    [step] = [one for one in found if "trail_files" in one]
    assert found[step]["missed"] == []
    told = outcomes(scene, incident)["trail_files"]
    assert told["state"] == "unsupported"
    assert "[forensics.trails]" in told["why"][0]


@apart
def test_the_flow_logs_of_each_interface_are_asked_for_once_files_must_be_there(
    scene: Scene,
) -> None:
    ec2, host = scene.aws("ec2"), scene.estate.target
    mine = [{"Name": "attachment.instance-id", "Values": [host]}]
    faces = ec2.describe_network_interfaces(Filters=mine)["NetworkInterfaces"]
    incident, _ = scene.play(body)
    assert not any("flow_logs" in step for step in kept(scene, incident))
    # The host ends before it is time; where it was is known.
    ec2.modify_instance_attribute(InstanceId=host, DisableApiTermination={"Value": False})
    ec2.terminate_instances(InstanceIds=[host])
    later(scene, incident)
    later(scene, incident)
    steps = [step for step in kept(scene, incident) if "flow_logs" in step]
    assert sorted(step.partition("#")[2] for step in steps) == sorted(
        one["NetworkInterfaceId"] for one in faces
    )
    told = outcomes(scene, incident)["flow_logs"]
    assert told["state"] == "unsupported"
    assert "no flow log covers" in told["why"][0]


@apart
def test_a_trail_that_is_named_and_not_there_is_on_record_too(scene: Scene) -> None:
    scene.set(forensics=Forensics(trails={scene.estate.account: "main"}, flow_logs=False))
    incident, _ = scene.play(body)
    assert not any("trail_files" in step for step in kept(scene, incident))
    later(scene, incident)
    told = outcomes(scene, incident)
    assert told["trail_files"]["state"] == "unsupported"
    assert "is not known" in told["trail_files"]["why"][0]
    assert "flow_logs is false" in told["flow_logs"]["why"][0]


@apart
def test_every_version_of_a_touched_object_is_kept_in_the_named_buckets_alone(
    scene: Scene,
) -> None:
    s3 = scene.aws("s3")
    for bucket in ("shop", "other"):
        where = {"LocationConstraint": scene.estate.region}
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        on = {"Status": "Enabled"}
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=on)
        for content in (b"as it was", b"as the thief left it"):
            s3.put_object(Bucket=bucket, Key="a/b", Body=content)
    scene.set(forensics=Forensics(objects=("shop",)))
    said = [
        {"kind": "object_touched", "object": f"{bucket}/a/b", "why": "PutObject"}
        for bucket in ("shop", "other", "shop")
    ]

    async def after(case: Case) -> None:
        await touched(case, [Kept("keep/trail_files", (), (), tuple(said))])

    incident, _ = scene.play(after)
    found = kept(scene, incident)
    [step] = [one for one in found if one.endswith("#shop/a/b")]
    assert found[step]["missed"] == []
    stored = [e.body for e in scene.entries(incident) if e.leaf.kind == "artifact.stored"]
    contents = [one for one in stored if one["sensitive"] and one["source"] == "s3_versions"]
    assert [one["size"] for one in contents] == [str(len(b"as the thief left it")), "9"]
    told = [one for one in found if "s3_versions" in one and one != step]
    assert len(told) == 1
    assert found[told[0]]["missed"] == []
    [outcome] = [e for e in stored if e["name"] == "s3_versions.outcome"][-1:]
    said = json.loads(scene.parts.locker.read(outcome["stored_sha256"]))
    assert (said["state"], said["why"][0][:24]) == ("unsupported", "1 objects were touched o")
