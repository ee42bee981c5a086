"""What is made in IAM has an id of its kind, never given twice, and its own date.

IAM identifiers, "Unique identifiers": AIDA a user, AGPA a group, ANPA a managed policy, AROA a
role. IAM: CreateLoginProfile, GetLoginProfile: the profile's CreateDate and PasswordResetRequired
are its own. moto's ids of users, groups and policies have no prefix, and it takes the user's date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.corrections.found import user_named
from playbooks.drills.range.keys import unique_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Correction, Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked


def _born(kind: str, holders: str, key: str, prefix: str) -> Correction:
    """Give what was made an id of its kind; `key` is where moto keeps it by."""

    def make(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
        result = onward()
        made = result[kind]
        made[f"{kind}Id"] = unique_id(ground.rng, prefix)
        getattr(ground.iam(asked.account), holders)[made[key]].id = made[f"{kind}Id"]
        return result

    return make


def create_login(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """CreateLoginProfile."""
    result = onward()
    user = user_named(ground, asked)
    user.password_reset_required = bool(asked.params.get("PasswordResetRequired"))
    ground.kept.logins[asked.account, user.name] = ground.now()
    return {"LoginProfile": _login(ground, asked, result["LoginProfile"])}


def get_login(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """GetLoginProfile."""
    return {"LoginProfile": _login(ground, asked, onward()["LoginProfile"])}


def update_login(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """UpdateLoginProfile: what the request leaves out stays as it was."""
    user = user_named(ground, asked)
    before = user.password, user.password_reset_required
    result = onward()
    if asked.params.get("Password") is None:
        user.password = before[0]
    if asked.params.get("PasswordResetRequired") is None:
        user.password_reset_required = before[1]
    return result


def _login(ground: Ground, asked: Asked, shown: Mapping[str, Any]) -> dict[str, Any]:
    user = user_named(ground, asked)
    made = ground.kept.logins.get((asked.account, user.name), shown["CreateDate"])
    reset = bool(user.password_reset_required)
    return {**shown, "CreateDate": made, "PasswordResetRequired": reset}


CORRECTIONS: Corrections = {
    ("iam", "CreateUser"): _born("User", "users", "UserName", "AIDA"),
    ("iam", "CreateGroup"): _born("Group", "groups", "GroupName", "AGPA"),
    ("iam", "CreatePolicy"): _born("Policy", "managed_policies", "Arn", "ANPA"),
    ("iam", "CreateLoginProfile"): create_login,
    ("iam", "GetLoginProfile"): get_login,
    ("iam", "UpdateLoginProfile"): update_login,
}
