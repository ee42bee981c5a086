"""What the drill on a host can break, and the claims that must then fail: those and no others.

A drill that finds nothing wrong proves only as much as it would have found. Nothing in Stanch
knows of this: launched.py breaks the thing in the process that it starts.
"""

from functools import partial

from actions.aws.deny_instance_sessions import DenyInstanceSessions
from actions.aws.enter_standby import EnterStandby
from actions.aws.isolate_instance import IsolateInstance
from actions.aws.leave_target_groups import LeaveTargetGroups
from actions.aws.protect_from_termination import ProtectFromTermination
from actions.aws.shorten_connection_tracking import ShortenConnectionTracking
from actions.aws.tag_incident import TagIncident
from playbooks.drills import breaking
from playbooks.drills.stage import one

# Every act is claimed to be verified, in both acts of the drill.
VERIFIED = ("every step is verified", "every step is verified, again")
# What is not contained is not said to be, in either act.
HONEST = (
    "residual names tracked flows first",
    "status is honest",
    "status is honest, again",
)
# A denial that is not as Stanch wrote it is not narrowed, and so nothing is released.
UNRELEASED = (
    "the release ends well",
    "all else is as it was",
    "the denial ends with the old sessions",
    "and the incident is released",
)


SABOTAGES = {
    "protect": one(
        "termination protection is not written",
        partial(breaking.no_write, ProtectFromTermination),
        *VERIFIED,
        "the host is protected",
    ),
    "standby": one(
        "the host stays in service in its scaling group",
        partial(breaking.no_write, EnterStandby),
        *VERIFIED,
        "the host is in standby",
    ),
    "snapshots": one(
        "no snapshot is asked for",
        breaking.no_snapshots,
        *VERIFIED,
        "every disk is copied",
    ),
    "denial": one(
        "the host's sessions are not denied",
        partial(breaking.no_write, DenyInstanceSessions),
        *VERIFIED,
        *HONEST,
        *UNRELEASED,
        "the stolen credentials do nothing",
        "the stolen credentials do nothing, again",
        "sessions from before stay denied",
    ),
    "denial-too-wide": one(
        "the denial hits every host with the role",
        breaking.wide_denial,
        *UNRELEASED,
        "the sibling still works",
        "new sessions work",
    ),
    "tracking": one(
        "idle connections are not cut short",
        partial(breaking.no_write, ShortenConnectionTracking),
        *VERIFIED,
        "and is gone once idle",
    ),
    "target-groups": one(
        "the host stays behind the load balancer",
        partial(breaking.no_write, LeaveTargetGroups),
        *VERIFIED,
        "nobody is sent to the host",
    ),
    "isolation": one(
        "the host's security groups are not changed",
        partial(breaking.no_write, IsolateInstance),
        *VERIFIED,
        *HONEST,
        "the times are known, queue",
        "the times are known, signed request",
        "the network lets nothing through",
        "the network lets nothing through, again",
    ),
    "tag": one(
        "the host is not marked with its incident",
        partial(breaking.no_write, TagIncident),
        *VERIFIED,
        "the host bears its incident",
    ),
    "evidence": one(
        "nothing is collected",
        breaking.no_evidence,
        "evidence was kept and none missed",
        "the host told its volatile state before it was cut off",
    ),
    "volatile": one(
        "the host is cut off before it is asked what it would forget",
        breaking.no_collection,
        "the host told its volatile state before it was cut off",
    ),
    "verifier": one(
        "the verifier finds nothing wrong",
        breaking.no_findings,
        "a flipped bit is caught",
        "and named",
    ),
    "witness": one(
        "no witness is asked",
        breaking.no_witness,
        "a witness of another process cosigned it",
        "the bundle verifies offline",
    ),
    "timestamps": one(
        "no timestamp authority is asked",
        breaking.no_timestamps,
        "an authority of another process stamped it",
        "the bundle verifies offline",
    ),
    "four-eyes": one(
        "whoever asked may answer",
        breaking.no_four_eyes,
        "nobody approves their own rollback",
        "another person approves the rollback",
        "nobody approves their own release",
        "another person approves the release",
    ),
    "dedupe": one(
        "each delivery counts as another finding",
        breaking.no_dedupe,
        "the same message again starts nothing",
        "the same finding, signed anew, is known",
    ),
    "signature": one(
        "any signature is right",
        breaking.no_signature,
        "a forged request is refused",
    ),
    "window": one(
        "a signature is good for a day",
        breaking.no_window,
        "a stale request is refused",
    ),
    "replay": one(
        "a signed request counts each time it comes",
        breaking.no_replay_check,
        "a replayed request is refused",
    ),
    "residual": one(
        "what the attacker may still have is not said",
        breaking.no_residual,
        "residual names tracked flows first",
    ),
    "status": one(
        "the status promises too much",
        breaking.rosy_status,
        "status is honest",
        "status is honest, again",
    ),
    "way-back": one(
        "undoing says it is done and writes nothing",
        breaking.no_way_back,
        "the host is exactly as it was",
        # The second act finds the host as the first left it, and gives it back as it found it.
        "the times are known, signed request",
        "all else is as it was",
        "new sessions work",
        "the denial ends with the old sessions",
    ),
    "hasty-queue": one(
        "a message is deleted before its finding is recorded",
        breaking.hasty_queue,
        "the finding is durable before its message goes",
    ),
    "narrowing": one(
        "a release lifts the denial of stolen sessions at once",
        breaking.no_narrowing,
        "sessions from before stay denied",
        "all else is as it was",
    ),
    "lift": one(
        "the denial of old sessions outlives them",
        breaking.no_lift,
        "the denial ends with the old sessions",
        "and the incident is released",
    ),
}
