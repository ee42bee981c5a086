"""Reads a target's tags, for the guard."""

from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.engine import calling


def of(aws: Aws, host: Instance) -> dict[str, str]:
    """Return the host's tags. Raise TargetGoneError or ProviderError."""
    found = calling(aws, lambda: describe(aws, host))
    return {t["Key"]: t["Value"] for t in found.get("Tags", [])}
