"""Whose sessions a finding speaks of: the host that a role's session is of, or a person's sets."""

from typing import TYPE_CHECKING, Any

from actions.aws.instance import Instance
from actions.engine import calling
from actions.identity.person import Person, assignments
from playbooks.case import store
from playbooks.errors import RefusedError

if TYPE_CHECKING:
    from playbooks.case.case import Case

# What a person of Identity Center is kept under: found once, the same on re-entry.
KEPT = "person"


def host_of(case: "Case") -> Instance | None:
    """Return the host whose session of the role the finding names, or None.

    The session of an instance profile is named after its instance (Amazon EC2 User Guide, "IAM
    roles for Amazon EC2"), and GuardDuty gives the principal id as AROA...:name.
    """
    resources = case.incident.alert.get("resources") or [{}]
    name = str(resources[0].get("data", {}).get("principal_id", "")).partition(":")[2]
    region = case.incident.alert.get("cloud", {}).get("region", case.region)
    return Instance(case.place, region, name) if name.startswith("i-") else None


async def person_of(case: "Case") -> tuple[Person, tuple[str, ...]]:
    """Return the person that the incident is about, and the permission sets that it can enter by.

    Through groups too. Raises RefusedError where the account administers no Identity Center.
    """
    known = case.store.read(lambda conn: store.kept(conn, case.incident.id, KEPT))
    if known is None:
        known = await case.call(lambda: _found(case))
        if not case.dry:
            case.store.commit(lambda conn: store.keep_newest(conn, case.incident.id, KEPT, known))
    id = case.incident.target["id"].partition("/")[2]
    who = Person(case.place, case.region, known["instance"], "USER", id)
    return who, tuple(known["sets"])


def _found(case: "Case") -> dict[str, Any]:
    aws = case.parts.aws(case.place, case.region)
    instances = calling(aws, lambda: aws.sso_admin.list_instances()["Instances"])
    if not instances:
        raise RefusedError(
            f"account {case.place} administers no Identity Center in {case.region}. Open the "
            "incident with the management account or its delegated administrator, and its region."
        )
    arn = instances[0]["InstanceArn"]
    id = case.incident.target["id"].partition("/")[2]
    who = Person(case.place, case.region, arn, "USER", id)
    found = calling(aws, lambda: list(assignments(aws, who)))
    return {"instance": arn, "sets": sorted({one["PermissionSetArn"] for one in found})}
