"""The incident's tag comes and goes, and no other tag is touched."""

import pytest

from actions.aws.tag_incident import TagIncident
from tests.actions.aws.operating import host_of


def arrange(world, estate):
    return TagIncident(host_of(world, estate), "INC-2026-0001")


def tags(ec2, host) -> dict[str, str]:
    found = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [host.instance_id]}])
    return {t["Key"]: t["Value"] for t in found["Tags"]}


@pytest.mark.parametrize("found", [None, "INC-2025-0007", ""])
def test_the_tag_that_was_there_comes_back(world, estate, host, op, ec2, found):
    ec2.create_tags(Resources=[host.instance_id], Tags=[{"Key": "owner", "Value": "shop"}])
    if found is not None:
        ec2.create_tags(
            Resources=[host.instance_id], Tags=[{"Key": "stanch:incident", "Value": found}]
        )
    before = tags(ec2, host)
    action = arrange(world, estate)
    op.apply(action)
    assert tags(ec2, host) == before | {"stanch:incident": "INC-2026-0001"}
    op.undo(action)
    assert tags(ec2, host) == before
