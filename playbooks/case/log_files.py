"""Keeps the files that logs were delivered in, with what proves them: trails, and flow logs.

CloudTrail's and VPC's files come minutes to hours late, so they are fetched once, when those of the
incident's time must be there. What is not set up stands on record as that.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from actions.aws.instance import Instance
from evidence.sources.flow_logs import FlowLogs
from evidence.sources.not_set_up import NotSetUp
from evidence.sources.s3_versions import S3Versions
from evidence.sources.trail_files import TrailFiles
from evidence.sources.volatility import in_order
from playbooks.case import store
from playbooks.case.answers import Kept

if TYPE_CHECKING:
    from playbooks.case.case import Case

# From an hour before the first sign until an hour after opening; contained by then, it is hoped.
ON = timedelta(hours=1)
AFTER = ON + TrailFiles.AGAIN_AFTER
WHAT = "log files are delivered late"
# Of so many touched objects the versions are kept; what is beyond stands on record.
MOST_OBJECTS = 50


async def log_files(
    case: "Case", host: Instance | None = None, actors: tuple[str, ...] = ()
) -> None:
    """Keep the trail's files, and the flow logs of a host's interfaces, once they are there.

    An identity acts in any region, so its trail's files are those of all regions of the account;
    of what `actors` wrote or deleted in S3, as far as those tell, every version is kept.
    """
    start, end = case.window[0], case.incident.opened + ON
    regions = [host.region] if host else _regions(case)
    sources: list[tuple[Any, str]] = [
        (_trail(case, one, start, end, actors), "") for one in regions
    ]
    if host:
        faces = await _interfaces(case, host)
        sources += [(_flows(case, host, one, start, end), one["id"]) for one in faces]
    lacking = [one for one in sources if isinstance(one[0], NotSetUp)]
    later = [one for one in sources if one not in lacking]
    for source, again in lacking:
        await case.keep(source, again=again)
    if case.dry or not later or not case.due(AFTER, WHAT):
        return
    order = {id(source): again for source, again in later}
    found = [
        await case.keep(source, again=order[id(source)])
        for source in in_order(source for source, _ in later)
    ]
    await touched(case, found)


async def touched(case: "Case", found: list[Kept]) -> None:
    """Keep every version of the objects that the logs say were touched, in the named buckets."""
    faults = [one for kept in found for one in kept.found if one["kind"] == "object_touched"]
    objects = list(dict.fromkeys(one["object"] for one in faults))
    opened = case.parts.settings.forensics.objects
    mine = [one for one in objects if one.partition("/")[0] in opened]
    for one in mine[:MOST_OBJECTS]:
        bucket, _, key = one.partition("/")
        source = S3Versions(bucket, key, case.place, case.place, case.region)
        await case.keep(source, again=one)
    if left := len(objects) - len(mine[:MOST_OBJECTS]):
        why = (
            f"{left} objects were touched of which no version was kept: their buckets are not "
            f"among objects in [forensics], or are over {MOST_OBJECTS}. The log files name them."
        )
        await case.keep(NotSetUp(S3Versions.name, why, case.place, case.region))


def _regions(case: "Case") -> list[str]:
    account = case.parts.settings.accounts.get(case.place)
    known = account.regions if account else ()
    if case.parts.settings.forensics.trails.get(case.place) is None:
        return [case.region]
    # IAM's own events are in us-east-1 (CloudTrail User Guide, "Global service events").
    return list(dict.fromkeys(known or (case.region, "us-east-1")))


def _trail(
    case: "Case", region: str, start: datetime, end: datetime, actors: tuple[str, ...]
) -> TrailFiles | NotSetUp:
    terms = case.parts.settings.forensics
    trail = terms.trails.get(case.place)
    if trail is None:
        why = (
            f"no trail of account {case.place} is in the settings, so its log files and digests "
            f'were not kept. Name it: [forensics.trails] "{case.place}" = "its ARN".'
        )
        return NotSetUp(TrailFiles.name, why, case.place, region)
    organization = terms.organization
    return TrailFiles(trail, start, end, case.place, region, organization, actors=actors)


def _flows(
    case: "Case", host: Instance, face: dict[str, str], start: datetime, end: datetime
) -> FlowLogs | NotSetUp:
    if not case.parts.settings.forensics.flow_logs:
        why = "flow_logs is false in [forensics]"
        return NotSetUp(FlowLogs.name, why, host.account, host.region)
    where = (face["id"], face["subnet"], face["vpc"])
    return FlowLogs(*where, start, end, host.account, host.region)


async def _interfaces(case: "Case", host: Instance) -> list[dict[str, str]]:
    """Return the host's interfaces as they were when first asked: a host may end meanwhile."""
    step = f"interfaces/{host.instance_id}"
    known = case.store.read(lambda conn: store.kept(conn, case.incident.id, step))
    if known is None:
        known = await case.call(lambda: _asked(case, host))
        if known and not case.dry:
            case.store.commit(lambda conn: store.keep_newest(conn, case.incident.id, step, known))
    return list(known)


def _asked(case: "Case", host: Instance) -> list[dict[str, str]]:
    ec2 = case.parts.reading(host.account, host.region).ec2
    mine = [{"Name": "attachment.instance-id", "Values": [host.instance_id]}]
    try:
        found = ec2.describe_network_interfaces(Filters=mine)["NetworkInterfaces"]
    except (ClientError, BotoCoreError):
        return []  # InstanceFacts has on record that they could not be read.
    return [
        {"id": one["NetworkInterfaceId"], "subnet": one["SubnetId"], "vpc": one["VpcId"]}
        for one in found
    ]
