"""How each thing is broken in the process that a drill starts; see sabotages.py."""

import hmac
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from actions.action import Lens
from actions.aws.deny_instance_sessions import DenyInstanceSessions
from actions.aws.latch_principal import LatchPrincipal
from actions.aws.snapshot_volumes import SnapshotVolumes
from evidence import __main__ as check_bundle
from evidence.sources.newcomers import Newcomers
from evidence.sources.principal_changes import PrincipalChanges
from evidence.verify_report import STATUS, Exit, Verdict
from playbooks.case import (
    answering,
    asking,
    keeping,
    latching,
    releasing,
    sealing,
    stamping,
    store,
    story,
    undoing,
    volatile,
)
from playbooks.case.answers import Approval
from playbooks.intake import signed
from playbooks.intake.alert import Alert
from playbooks.intake.queue import Poller
from playbooks.latch import probe, trying
from playbooks.rotation import access_key
from playbooks.wiring import logins


def put(owner: Any, name: str, instead: Any) -> None:
    """Put something else in place of what is there. Raises AttributeError where nothing is."""
    getattr(owner, name)
    setattr(owner, name, instead)


def no_write(lens: type[Lens[Any]]) -> None:
    """The action's write does nothing and says nothing."""
    put(lens, "write", lambda self, p, key, value: None)
    # How long Stanch gives a write to show; a drill need not wait it out.
    put(lens, "limit", 2.0)


def no_snapshots() -> None:
    """The request for snapshots is not sent."""
    put(SnapshotVolumes, "do", lambda self, p, mark, approval: None)
    put(SnapshotVolumes, "limit", 2.0)


def wide_denial() -> None:
    """The denial's condition is lost, so that it speaks of the whole role."""
    whole: Any = DenyInstanceSessions.document

    def document(self: DenyInstanceSessions) -> Any:
        policy = whole.fget(self)
        for statement in policy["Statement"]:
            statement.pop("Condition", None)
        return policy

    put(DenyInstanceSessions, "document", property(document))


def no_evidence() -> None:
    """Nothing is collected, and nothing is said to be missed."""
    put(keeping, "_collect", lambda case, source: ([], [], [], []))


def no_collection() -> None:
    """The host is never asked for its volatile state."""
    put(volatile, "_given_up", lambda case: "given up: broken on purpose")


def no_findings() -> None:
    """The verifier takes what is invalid for valid."""
    verifier: Any = check_bundle
    check = verifier.verify_bundle

    def verify(path: Any, trust: Any) -> Verdict:
        found: Verdict = check(path, trust)
        if found.exit_code != Exit.INVALID:
            return found
        code = Exit.UNWITNESSED
        return replace(found, exit_code=code, status=STATUS[code], problems=())

    put(verifier, "verify_bundle", verify)


def no_witness() -> None:
    """No witness is asked."""
    put(sealing, "witness", lambda db, settings, signed: [])


def no_timestamps() -> None:
    """No timestamp authority is asked."""
    put(stamping, "stamp", lambda db, parts, askable, names: [])


def no_four_eyes() -> None:
    """An answer counts whoever gives it."""
    check: Any = answering._check
    put(answering, "_check", lambda question, said, person, now: check(question, said, "", now))


def no_dedupe() -> None:
    """The same finding is another one each time that it comes."""
    put(Alert, "dedupe_key", property(lambda alert: f"{alert.uid}/{alert.received.isoformat()}"))


def no_signature() -> None:
    """Any two digests are equal."""
    easy = vars(hmac) | {"compare_digest": lambda one, other: True}
    put(signed, "hmac", SimpleNamespace(**easy))


def no_window() -> None:
    """A signature does not get old."""
    put(signed, "WINDOW", timedelta(days=1))


def no_replay_check() -> None:
    """Every signed request comes for the first time."""
    put(store, "first_times", lambda conn, requests: {digest for digest, _ in requests})


class _Hasty:
    """A queue's client that deletes what it receives."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def receive_message(self, **how: Any) -> Any:
        answer = self._client.receive_message(**how)
        for message in answer.get("Messages", []):
            handle = message["ReceiptHandle"]
            self._client.delete_message(QueueUrl=how["QueueUrl"], ReceiptHandle=handle)
        return answer


def hasty_queue() -> None:
    """A message is deleted before what it says is recorded."""
    begin: Any = Poller.__init__

    def hasty(self: Poller, pull: Any) -> None:
        begin(self, replace(pull, connect=lambda: _Hasty(pull.connect())))

    put(Poller, "__init__", hasty)


def no_narrowing() -> None:
    """A release lifts the denial as it is, and stolen sessions with it."""

    async def narrow(case: Any, undos: Any, question: str) -> None:
        return None

    put(releasing, "narrow", narrow)


def no_lift() -> None:
    """A release's denial of old sessions is put off again and again."""

    async def lift(case: Any, intent: Any) -> datetime:
        later: datetime = case.clock() + timedelta(days=1)
        return later

    put(releasing, "lift", lift)


def no_residual() -> None:
    """Nothing is left to the attacker, it says."""
    put(story, "residual", lambda steps, left=None, play="", own="": ())


def rosy_status() -> None:
    """Every incident is contained, it says."""
    put(story, "status", lambda steps, left=None, play="", own="": "contained")


def no_way_back() -> None:
    """Each step is said to be undone."""

    async def undone(case: Any, lens: Any, intent: Any) -> Any:
        case.journal.undone(intent.step, {})
        return undoing.Undone(intent.step)

    put(undoing, "_undo", undone)


def no_sweep() -> None:
    """Nothing that an attacker made is ever found."""
    put(PrincipalChanges, "findings", lambda source, items: ())


def no_trial() -> None:
    """Whatever is tried opens what it should."""
    put(logins, "_opens_aws", lambda settings, region, held: True)


def no_patience() -> None:
    """Nobody uses the old one any more, it says."""

    async def gone(case: Any, one: Any, new: str, look: Any) -> str:
        return "no longer used"

    put(access_key, "may_go", gone)


def no_newcomers() -> None:
    """Nothing in IAM is ever new."""
    put(Newcomers, "findings", lambda source, items: ())


def no_asking() -> None:
    """A play's questions are answered yes by nobody."""

    async def yes(case: Any, action: Any, step: str, about: Any) -> Approval:
        return Approval("", "nobody")

    put(asking, "ask", yes)
    put(asking, "covered", _covered)


async def _covered(case: Any, planned: Any, approval: Any) -> str:
    return ""


def no_latch() -> None:
    """The latch is not written; nor is it waited for as long as Stanch would."""
    no_write(LatchPrincipal)
    watch = probe.watch
    for module in (latching, trying):
        put(module, "watch", lambda *look, **how: watch(*look, **(how | {"limit": 3.0})))
