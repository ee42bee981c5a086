"""Judges the custody of a case: that each entry about it follows the rules, and who signed it.

The rules are those by which entries are written (`custody.follow`); here nobody is believed but
whom the trust input names. Times are those that the ledger recorded.
"""

from collections.abc import Mapping
from typing import Any

from evidence import bag
from evidence.custody.follow import KINDS, STORED, follow
from evidence.custody.state import LOCKER, CaseCustody, Event
from evidence.custody.statement import SIGNERS, read_signed
from evidence.errors import CustodyError
from evidence.jws_token import PublicKey, key_from_jwk
from evidence.personal import hidden
from evidence.verify_entries import Proven
from evidence.verify_report import Custody, Report
from evidence.verify_trust import Trust


def check_custody(proven: list[Proven], trust: Trust | None, report: Report) -> frozenset[str]:
    """Check each entry about custody, and set `report.custody`.

    Returns the SHA-256 of stored files of which every artifact was disposed of: those may be gone.
    """
    if not proven:
        return frozenset()
    start = len(report.problems)
    replay = _Replay(proven[0].leaf.case, trust, report)
    for entry in proven:
        if entry.leaf.kind in KINDS:
            replay.take(entry)
    report.checked("custody", replay.statements, start)
    report.custody = replay.told()
    return replay.gone()


class _Replay:
    """The state after the entries so far, and who signed what led to it."""

    def __init__(self, case: str, trust: Trust | None, report: Report) -> None:
        self.state = CaseCustody(case)
        self.statements = 0
        self._report = report
        self._people: Mapping[str, PublicKey] = trust.people if trust else {}
        # The locker itself signs with the deployment's manifest key.
        self._lockers = (
            [one.public_numbers() for one in trust.manifest_keys.values()] if trust else []
        )
        self._signers: dict[str, bool] = {}
        # What an entry did that is not open any more, later ones may follow from.
        self._dark = False

    def take(self, entry: Proven) -> None:
        """Judge the case's next entry; one that breaks a rule has no effect."""
        kind, place = entry.leaf.kind, f"ledger entry {entry.index}"
        if entry.opened is None:
            self._close(kind, place)
            return
        actor, body = entry.opened
        if kind in SIGNERS and hidden(actor, body):
            # `check_values` tells why it is not open; what it did nobody can judge. It may have set
            # a hold, so that nothing is disposed of after it without doubt.
            self._dark = True
            self.state.problems.append(place)
            return
        if kind == STORED and self._again(body):
            return
        event = Event(kind, entry.leaf.case_seq, actor, entry.leaf.record_time, body)
        signed = False
        try:
            if kind in SIGNERS:
                self._know(body)
            signed = True
            follow(self.state, event)
        except CustodyError as error:
            self.state.problems.append(place)
            said = f"{place}: breaks a rule of custody: {error}"
            if signed and self._dark:
                said += "; or it follows from an entry that is not open"
                self._report.incomplete(bag.ENTRIES, said)
            else:
                self._report.invalid(bag.ENTRIES, said)

    def told(self) -> Custody:
        """Return what a report says of it."""
        artifacts = self.state.artifacts.values()
        return Custody(
            statements=self.statements,
            signers=tuple(sorted(self._signers)),
            unpinned=tuple(sorted(name for name, pinned in self._signers.items() if not pinned)),
            holds=sum(hold.released is None for hold in self.state.holds.values()),
            disposed=sum(artifact.disposed is not None for artifact in artifacts),
        )

    def gone(self) -> frozenset[str]:
        """Return the stored files that no artifact needs any more."""
        artifacts = self.state.artifacts.values()
        disposed = {one.stored_sha256 for one in artifacts if one.disposed is not None}
        return frozenset(disposed - {one.stored_sha256 for one in artifacts if not one.disposed})

    def _close(self, kind: str, place: str) -> None:
        """Note an entry without its body; of one that only tells, nothing follows."""
        self._dark |= kind in SIGNERS or kind == STORED
        if kind in SIGNERS:
            self.state.problems.append(place)
            self._report.incomplete(
                bag.ENTRIES, f"{place}: is not open, so nobody can tell what {kind} did"
            )

    def _again(self, body: Mapping[str, Any]) -> bool:
        """Tell whether an entry names an artifact and manifest that another one named before."""
        held = self.state.artifacts.get(str(body.get("artifact_id")))
        return held is not None and held.manifest_sha256 == body.get("manifest_sha256")

    def _know(self, body: Mapping[str, Any]) -> None:
        """Keep who signed, and refuse whom the trust input knows by another key."""
        read_signed(body)
        self.statements += 1
        for signature in body["signatures"]:
            name, known = signature["name"], self._people.get(signature["name"])
            made = key_from_jwk(signature["jwk"]).public_numbers()
            pinned = known is not None or (name == LOCKER and made in self._lockers)
            self._signers[name] = pinned and self._signers.get(name, True)
            if known is not None and known.public_numbers() != made:
                raise CustodyError(
                    f"is signed as {name} with another key than the trust input has of {name}"
                )
