"""Looks at a target for the guard: its tags, and what hangs on it."""

from collections.abc import Mapping
from dataclasses import dataclass

from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.engine import calling


@dataclass(frozen=True, slots=True)
class Seen:
    """A host's tags, and the ids of its volumes and interfaces: acting on it touches them too."""

    tags: Mapping[str, str]
    parts: frozenset[str]


def look(aws: Aws, target: str) -> Seen:
    """Return what is seen of a target account/region/id. Raise TargetGoneError, ProviderError."""
    host = Instance(*target.split("/", 2))
    found = calling(aws, lambda: describe(aws, host))
    volumes = {m["Ebs"]["VolumeId"] for m in found.get("BlockDeviceMappings", []) if "Ebs" in m}
    nics = {n["NetworkInterfaceId"] for n in found.get("NetworkInterfaces", [])}
    tags = {t["Key"]: t["Value"] for t in found.get("Tags", [])}
    return Seen(tags, frozenset(volumes | nics))
