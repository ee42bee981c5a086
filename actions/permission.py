"""What an action must be allowed to do, so that least privilege can be printed from the code."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Permission:
    """One IAM action an action needs.

    `resource` is an ARN pattern with {partition}, {region} and {account} left open;
    `condition` is an IAM condition block, or empty. Source for both: the Service
    Authorization Reference, table "Actions defined by ...".
    """

    action: str
    resource: str = "*"
    condition: Mapping[str, Mapping[str, str | list[str]]] = field(default_factory=dict)
