"""What a principal may do and when it last did it, by service and by action.

IAM: GenerateServiceLastAccessedDetails (SERVICE_LEVEL or ACTION_LEVEL) and
GetServiceLastAccessedDetails: a job, done a while later, that lists every service which the
entity's policies allow, with its last attempt, and for ACTION_LEVEL each tracked action's. moto has
neither. A job here is done at its second reading; a group's and a policy's report is over the users
and roles that have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.corrections.found import entity_of
from playbooks.drills.range.corrections.paging import paged
from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.facts import Thing, shown
from playbooks.drills.range.identity import documents_of
from playbooks.drills.range.policy import named_services

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.usage import Used
    from playbooks.drills.range.wire import Asked

# IAM User Guide: the tracking period is at least 400 days.
TRACKED = timedelta(days=400)
# The services that the range has names for; a policy that allows `*` allows these.
SERVICES = (
    *("autoscaling", "cloudtrail", "ec2", "elasticloadbalancing", "events", "iam", "kms", "lambda"),
    *("organizations", "rds", "rolesanywhere", "s3", "secretsmanager", "sqs", "sso", "sts"),
)


@dataclass(slots=True)
class Job:
    """One report that was asked for."""

    arn: str
    kind: str
    made: datetime
    readings: int = 0


def generate(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """GenerateServiceLastAccessedDetails."""
    arn = asked.params["Arn"]
    _entities(ground, asked.account, arn)
    job_id = str(ground.uuid())
    kind = asked.params.get("Granularity", "SERVICE_LEVEL")
    ground.jobs[job_id] = Job(arn, kind, ground.now())
    return {"JobId": job_id}


def get(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """GetServiceLastAccessedDetails."""
    job = ground.jobs.get(asked.params["JobId"])
    if job is None:
        raise AwsError("NoSuchEntity", f"There is no job {asked.params['JobId']}.", 404)
    job.readings += 1
    shown = {"JobType": job.kind, "JobCreationDate": job.made}
    if job.readings == 1:
        return {**shown, "JobStatus": "IN_PROGRESS", "IsTruncated": False}
    entities = _entities(ground, asked.account, job.arn)
    services = _services(ground, asked.account, job, entities)
    page = paged(asked, "ServicesLastAccessed", services)
    return {**shown, "JobStatus": "COMPLETED", "JobCompletionDate": ground.now(), **page}


def _entities(ground: Ground, account: str, arn: str) -> list[Any]:
    """The users and roles that a report on this ARN is about."""
    iam = ground.iam(account)
    holders = [*iam.users.values(), *iam.roles.values()]
    if arn in iam.managed_policies:
        return [h for h in holders if arn in h.managed_policies]
    found = entity_of(ground, account, arn)
    return list(found.users) if found in iam.groups.values() else [found]


def _documents(ground: Ground, account: str, entity: Any) -> tuple[Mapping[str, Any], ...]:
    role = "assume_role_policy_document" in vars(entity)
    thing = Thing(account, "role", entity.id) if role else Thing(account, "user", entity.name)
    return documents_of(ground, account, shown(ground, thing))


def _services(ground: Ground, account: str, job: Job, entities: list[Any]) -> list[dict[str, Any]]:
    since = job.made - TRACKED
    allowed: set[str] = set()
    attempts: dict[str, dict[str, list[Used]]] = {}
    for entity in entities:
        allowed |= named_services(_documents(ground, account, entity), SERVICES)
        for (service, action), used in ground.used.get(entity.id, {}).items():
            if used.at >= since:
                attempts.setdefault(service, {}).setdefault(action, []).append(used)
    return [_service(n, attempts.get(n, {}), job.kind) for n in sorted(allowed | set(attempts))]


def _service(name: str, actions: Mapping[str, list[Used]], kind: str) -> dict[str, Any]:
    every = [used for uses in actions.values() for used in uses]
    entry: dict[str, Any] = {"ServiceName": name, "ServiceNamespace": name}
    entry["TotalAuthenticatedEntities"] = len({used.entity for used in every})
    if every:
        last = max(every, key=lambda used: used.at)
        entry["LastAuthenticated"] = last.at
        entry["LastAuthenticatedEntity"] = last.entity
        entry["LastAuthenticatedRegion"] = last.region
    if kind == "ACTION_LEVEL":
        entry["TrackedActionsLastAccessed"] = [
            _action(action, max(uses, key=lambda used: used.at))
            for action, uses in sorted(actions.items())
        ]
    return entry


def _action(name: str, last: Used) -> dict[str, Any]:
    return {
        "ActionName": name,
        "LastAccessedEntity": last.entity,
        "LastAccessedTime": last.at,
        "LastAccessedRegion": last.region,
    }


CORRECTIONS: Corrections = {
    ("iam", "GenerateServiceLastAccessedDetails"): generate,
    ("iam", "GetServiceLastAccessedDetails"): get,
}
