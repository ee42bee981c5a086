"""Identity Center takes its time, and a permission set holds only where it is provisioned.

IAM Identity Center API: CreateAccountAssignment, DeleteAccountAssignment and ProvisionPermissionSet
answer IN_PROGRESS and are through a while later; "If the permission set is updated, you must call
ProvisionPermissionSet to apply it" (ListAccountsForProvisionedPermissionSet tells where the latest
is not); the first assignment in an account provisions it there. Service Authorization Reference: a
permission set's ARN is arn:aws:sso:::permissionSet/instance/id. moto does all at once, gives other
ARNs, assigns twice what is assigned once, and provisions nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.ssoadmin.models import AccountAssignment, ssoadmin_backends

from playbooks.drills.range.corrections import reserved_roles
from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

SECONDS = 2.0
FIELDS = (
    ("InstanceArn", "instance_arn"),
    ("TargetId", "target_id"),
    ("TargetType", "target_type"),
    ("PermissionSetArn", "permission_set_arn"),
    ("PrincipalType", "principal_type"),
    ("PrincipalId", "principal_id"),
)


def create_set(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """CreatePermissionSet."""
    result = onward()
    made = result["PermissionSet"]
    found = _set(ground, asked, made["PermissionSetArn"])
    found.permission_set_arn = made["PermissionSetArn"] = made["PermissionSetArn"].replace(
        ":instance/", ":permissionSet/"
    )
    return result


def assign(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """CreateAccountAssignment."""
    _set(ground, asked, asked.params["PermissionSetArn"])
    return {"AccountAssignmentCreationStatus": _begin(ground, asked, "assign")}


def unassign(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """DeleteAccountAssignment."""
    settle(ground)
    if not _assigned(_backend(ground, asked), asked.params):
        raise AwsError("ResourceNotFoundException", "There is no such assignment.", 400)
    return {"AccountAssignmentDeletionStatus": _begin(ground, asked, "unassign")}


def provision(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """ProvisionPermissionSet."""
    policy = _set(ground, asked, asked.params["PermissionSetArn"]).inline_policy
    begun = _begin(ground, asked, "provision", policy=policy)
    return {"PermissionSetProvisioningStatus": begun}


def accounts(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """ListAccountsForProvisionedPermissionSet."""
    settle(ground)
    found = _set(ground, asked, asked.params["PermissionSetArn"])
    wanted = asked.params.get("ProvisioningStatus")
    latest = "LATEST_PERMISSION_SET_PROVISIONED"
    return {
        "AccountIds": [
            account
            for account, policy in _provisioned(found).items()
            if wanted is None or (policy == found.inline_policy) == (wanted == latest)
        ]
    }


def _later(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    settle(ground)
    return onward()


def settle(ground: Ground) -> None:
    """Let what was begun `SECONDS` ago be through, in every account."""
    for regions in list(ssoadmin_backends.values()):
        for backend in list(regions.values()):
            under_way = _under_way(backend)
            through = [one for one in under_way if one[0] <= ground.seconds()]
            for one in through:
                under_way.remove(one)
                DO[one[1]](backend, one[2])
            if through:
                reserved_roles.keep(ground)


def _begin(ground: Ground, asked: Asked, what: str, **more: str) -> dict[str, Any]:
    _under_way(_backend(ground, asked)).append(
        (ground.seconds() + SECONDS, what, {**asked.params, **more})
    )
    told = {k: v for k, v in asked.params.items() if k != "InstanceArn"}
    if what == "provision":
        told = {"PermissionSetArn": asked.params["PermissionSetArn"]}
    return {
        "Status": "IN_PROGRESS",
        "RequestId": str(ground.uuid()),
        "CreatedDate": ground.now(),
        **told,
    }


def _do_assign(backend: Any, params: Mapping[str, Any]) -> None:
    if not _assigned(backend, params):
        made = AccountAssignment(*(params[name] for name, _ in FIELDS))
        backend.account_assignments.append(made)
    for found in _sets(backend, params["PermissionSetArn"]):
        _provisioned(found).setdefault(params["TargetId"], found.inline_policy)


def _do_unassign(backend: Any, params: Mapping[str, Any]) -> None:
    for found in _assigned(backend, params):
        backend.account_assignments.remove(found)


def _do_provision(backend: Any, params: Mapping[str, Any]) -> None:
    only = params.get("TargetId")
    for found in _sets(backend, params["PermissionSetArn"]):
        for account in [only] if only else list(_provisioned(found)):
            _provisioned(found)[account] = params["policy"]


DO: dict[str, Callable[[Any, Mapping[str, Any]], None]] = {
    "assign": _do_assign,
    "unassign": _do_unassign,
    "provision": _do_provision,
}


def _backend(ground: Ground, asked: Asked) -> Any:
    return ssoadmin_backends[asked.account or ground.account][asked.region]


def _under_way(backend: Any) -> list[tuple[float, str, dict[str, Any]]]:
    # Kept with moto's own state, so that it is saved and put back with it.
    found: list[Any] = vars(backend).setdefault("under_way", [])
    return found


def _provisioned(permission_set: Any) -> dict[str, str]:
    found: dict[str, str] = vars(permission_set).setdefault("provisioned", {})
    return found


def _sets(backend: Any, arn: str) -> list[Any]:
    return [found for found in backend.permission_sets if found.permission_set_arn == arn]


def _set(ground: Ground, asked: Asked, arn: str) -> Any:
    known = _sets(_backend(ground, asked), arn)
    if not known:
        raise AwsError("ResourceNotFoundException", f"There is no permission set {arn}.", 400)
    return known[0]


def _assigned(backend: Any, params: Mapping[str, Any]) -> list[Any]:
    return [
        found
        for found in backend.account_assignments
        if all(getattr(found, ours) == params[name] for name, ours in FIELDS)
    ]


CORRECTIONS: Corrections = {
    ("sso-admin", "CreatePermissionSet"): create_set,
    ("sso-admin", "CreateAccountAssignment"): assign,
    ("sso-admin", "DeleteAccountAssignment"): unassign,
    ("sso-admin", "ProvisionPermissionSet"): provision,
    ("sso-admin", "ListAccountsForProvisionedPermissionSet"): accounts,
    ("sso-admin", "ListAccountAssignments"): _later,
    ("sso-admin", "ListAccountAssignmentsForPrincipal"): _later,
}
