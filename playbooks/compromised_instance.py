"""A host is under someone else's control: protect it, take its credentials, cut it off."""

from actions.aws.deny_instance_sessions import DenyInstanceSessions
from actions.aws.enter_standby import EnterStandby
from actions.aws.isolate_instance import IsolateInstance
from actions.aws.leave_target_groups import LeaveTargetGroups
from actions.aws.protect_from_termination import ProtectFromTermination
from actions.aws.shorten_connection_tracking import ShortenConnectionTracking
from actions.aws.snapshot_volumes import SnapshotVolumes
from actions.aws.tag_incident import TagIncident
from actions.aws.terminate_instance import TerminateInstance
from evidence.sources.cloudtrail_events import CloudTrailEvents
from evidence.sources.instance_facts import InstanceFacts
from evidence.sources.snapshot_facts import SnapshotFacts
from evidence.sources.tag_changes import TagChanges
from playbooks.case.answers import Kept
from playbooks.case.case import Case
from playbooks.case.log_files import log_files
from playbooks.case.play import play
from playbooks.case.preserving import preserve
from playbooks.case.volatile import collect_first, keep_collected


async def cut_off(case: Case) -> None:
    """Take the host from the attacker: what is pre-approved, and cannot wait for anything.

    Denying the sessions comes first of what takes something from the attacker. The one thing that
    it waits for, for seconds that the team sets, is what the host's agent can tell of its volatile
    state, for the denial takes that agent's voice too. Isolation alone would fail a health check,
    and the scaling group would terminate the evidence: only a host that no group watches is
    isolated here.
    """
    host = case.target
    _, (_, standby) = await collect_first(
        case,
        host,
        lambda: case.in_turn(
            case.act(DenyInstanceSessions(host, keep_ssm=case.keep_ssm)),
            case.together(case.act(ProtectFromTermination(host)), case.act(EnterStandby(host))),
        ),
    )
    if standby.was_so:
        await case.act(ShortenConnectionTracking(host))
        await case.act(IsolateInstance(host))


@play(reflex=cut_off)
async def compromised_instance(case: Case) -> None:
    """A host is under someone else's control: protect it, take its credentials, cut it off.

    What the host forgets is asked for first, for seconds. Credentials go before the network, for
    stolen ones work off the host. Standby goes before
    isolation, or a health check would make the scaling group terminate the evidence. What does
    not depend on each other goes at once, so that no wait for a read-back delays the next act;
    how the host was found is kept meanwhile, and stands in the journal for each key that changes.
    """
    host = case.target
    await case.tell(case.stakeholders, "opened")
    facts, disks, _ = await case.together(
        case.keep(InstanceFacts(host.instance_id, host.account, host.region)),
        case.act(SnapshotVolumes(host)),
        cut_off(case),
    )
    await case.act(ShortenConnectionTracking(host))
    await case.act(LeaveTargetGroups(host))
    await case.act(IsolateInstance(host))
    await case.act(TagIncident(host, case.incident.id))
    how = "contained" if case.contained else "not contained"
    await case.tell(case.stakeholders, how, residual=case.residual)
    await case.seal("interim")
    shots = SnapshotFacts(disks.ids("snapshots"), host.account, host.region)
    await case.keep(shots)
    await keep_collected(case, host)
    # The session that an instance profile gives is named after the instance.
    trail = CloudTrailEvents((), (host.instance_id,), *case.window, host.account, host.region)
    await case.keep(trail)
    tags = TagChanges(host.instance_id, case.first_sign, case.window[1], host.account, host.region)
    await case.keep(tags)
    if case.due(trail.AGAIN_AFTER, "CloudTrail lags"):
        await case.keep(trail, again="CloudTrail lags")
        await case.keep(tags, again="CloudTrail lags")
        await case.keep(shots, again="snapshots complete late")
        await keep_collected(case, host, again="uploaded late")
    await case.together(preserve(case, host, disks), log_files(case, host), end(case, facts))


async def end(case: Case, facts: Kept) -> None:
    """Terminate the host, where a person says so."""
    if yes := await case.ask(TerminateInstance(case.target), about=facts):
        await case.act(TerminateInstance(case.target), yes)
