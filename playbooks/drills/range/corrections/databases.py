"""A database's master password changes a while after it was asked for.

RDS: ModifyDBInstance, MasterUserPassword: "asynchronously applied as soon as possible. Between the
time of the request and the completion of the request, the MasterUserPassword element exists in the
PendingModifiedValues element of the operation response"; the status is resetting-master-credentials
meanwhile. Open connections stay. moto sets it at once and shows nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.rds.models import rds_backends

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

TAKES_SECONDS = 20.0


def modify(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """ModifyDBInstance."""
    database = found(asked.account, asked.region, asked.params["DBInstanceIdentifier"])
    if database is None or asked.params.get("MasterUserPassword") is None:
        return onward()
    before = database._master_user_password
    result = onward()
    ground.kept.resetting[database.db_instance_arn] = (before, ground.seconds() + TAKES_SECONDS)
    return {"DBInstance": _shown(ground, result["DBInstance"])}


def describe(ground: Ground, _asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """DescribeDBInstances."""
    result = onward()
    return {**result, "DBInstances": [_shown(ground, d) for d in result["DBInstances"]]}


def logs_in(ground: Ground, name: str, user: str, password: str) -> bool:
    """Whether a home database lets this user in with this password now."""
    database = found(ground.account, ground.region, name)
    if database is None or database.master_username != user:
        return False
    before, until = ground.kept.resetting.get(database.db_instance_arn, ("", 0.0))
    right = before if ground.seconds() < until else database._master_user_password
    return bool(password == right)


def found(account: str, region: str, name: str) -> Any:
    """moto's database instance, or None."""
    return rds_backends[account][region].databases.get(name)


def _shown(ground: Ground, shown: Mapping[str, Any]) -> dict[str, Any]:
    _, until = ground.kept.resetting.get(shown["DBInstanceArn"], ("", 0.0))
    if ground.seconds() >= until:
        return dict(shown)
    pending = {**shown.get("PendingModifiedValues", {}), "MasterUserPassword": "****"}
    status = "resetting-master-credentials"
    return {**shown, "PendingModifiedValues": pending, "DBInstanceStatus": status}


CORRECTIONS: Corrections = {
    ("rds", "ModifyDBInstance"): modify,
    ("rds", "DescribeDBInstances"): describe,
}
