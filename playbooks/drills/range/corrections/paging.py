"""IAM's lists come in pages.

IAM API: MaxItems ("the maximum number of items to return, 100 by default, up to 1,000"), Marker
and IsTruncated: a marker stands for where the page before ended. moto gives most lists whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playbooks.drills.range.corrections.correction import Correction, Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

PAGE = 100
# operation -> the name of its list. ListRoles and ListVirtualMFADevices page in moto already.
LISTS = {
    "ListAccessKeys": "AccessKeyMetadata",
    "ListGroupPolicies": "PolicyNames",
    "ListGroups": "Groups",
    "ListGroupsForUser": "Groups",
    "ListInstanceProfiles": "InstanceProfiles",
    "ListMFADevices": "MFADevices",
    "ListPolicyVersions": "Versions",
    "ListRolePolicies": "PolicyNames",
    "ListSSHPublicKeys": "SSHPublicKeys",
    "ListSigningCertificates": "Certificates",
    "ListUserPolicies": "PolicyNames",
    "ListUserTags": "Tags",
    "ListUsers": "Users",
}


def paged(asked: Asked, name: str, found: Sequence[Any]) -> dict[str, Any]:
    """One page of `found` under `name`, as the request's Marker and MaxItems ask.

    Raises AwsError ValidationError for a marker that was not given out.
    """
    start, size = start_of(asked), int(asked.params.get("MaxItems", PAGE))
    page: dict[str, Any] = {name: list(found[start : start + size]), "IsTruncated": False}
    if start + size < len(found):
        page |= {"IsTruncated": True, "Marker": f"from-{start + size}"}
    return page


def start_of(asked: Asked) -> int:
    """Where the request's page begins. Raises AwsError ValidationError."""
    marker = asked.params.get("Marker")
    if marker is None:
        return 0
    left = str(marker).removeprefix("from-")
    if not left.isdigit():
        raise AwsError("ValidationError", "Invalid Marker.")
    return int(left)


def _in_pages(name: str) -> Correction:
    def page(_ground: Ground, asked: Asked, onward: Onward) -> dict[str, Any]:
        unpaged = {k: v for k, v in asked.params.items() if k not in ("Marker", "MaxItems")}
        whole = onward(unpaged)
        return {**whole, **paged(asked, name, whole.get(name, []))}

    return page


CORRECTIONS: Corrections = {("iam", o): _in_pages(name) for o, name in LISTS.items()}
