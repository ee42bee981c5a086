"""What an account prepares so that its hosts can be asked for their volatile state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.agent import Agent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playbooks.drills.range.world import World


def make_collectable(
    world: World,
    hosts: Iterable[str],
    bucket: str,
    text: str,
    name: str,
    agent: Agent | None = None,
) -> None:
    """Let agents register on the hosts, put a document there, and make the bucket to upload to."""
    for host in hosts:
        world.ground.kept.agents[host] = agent or Agent()
    ssm: Any = world.client("ssm", world.admin)
    ssm.create_document(Name=name, Content=text, DocumentType="Command", DocumentFormat="JSON")
    where = (
        {}
        if world.region == "us-east-1"
        else {"CreateBucketConfiguration": {"LocationConstraint": world.region}}
    )
    s3: Any = world.client("s3", world.admin)
    s3.create_bucket(Bucket=bucket, **where)
