"""Custody: what entries did to artifacts, who signed for it, and what may be gone since."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.evidence.second.entries import Entry
from tests.evidence.second.findings import Findings, WrongError, need
from tests.evidence.second.signatures import read_token
from tests.evidence.second.texts import HASH, SIZE, dumps, matches, members, time_of
from tests.evidence.second.trust import Trust, parse_jwk_point
from tests.evidence.second.values import all_hidden

NAMED = re.compile("[0-9a-f]{32}")
SIGNATURES = {
    "custody.brought": 1,
    "hold.set": 1,
    "hold.release": 2,
    "retention.extend": 1,
    "custody.transfer": 2,
    "disposed": 2,
    "redaction": 1,
    "erasure": 2,
}
KINDS = {*SIGNATURES, "artifact.stored", "access.read", "verify.result"}
FOUND = ("intact", "altered", "missing", "unreadable", "keyless", "covered")
STAYS = ("artifact_id", "stored_sha256", "manifest_sha256", "size")
BEFORE, AFTER = timedelta(minutes=5), timedelta(days=7)


class StatementError(WrongError):
    """A statement or a signature of it is malformed, or does not hold."""


@dataclass
class Held:
    what_stays: dict[str, str]
    sensitive: bool
    holder: str = "stanch"
    until: str = ""
    gone: bool = False


@dataclass
class Custody:
    """Where the artifacts of the case stand."""

    case: str
    people: Mapping[str, Any]
    artifacts: dict[str, Held] = field(default_factory=dict)
    holds: dict[str, list[str] | None] = field(default_factory=dict)
    names_of_holds: set[str] = field(default_factory=set)
    until: str = ""
    taken: set[bytes] = field(default_factory=set)
    broken: bool = False

    def known(self, artifact_id: Any) -> Held:
        need(isinstance(artifact_id, str) and artifact_id in self.artifacts, "no such artifact")
        return self.artifacts[artifact_id]

    def there(self, artifact_id: Any) -> Held:
        held = self.known(artifact_id)
        need(not held.gone, f"{artifact_id} was disposed of before")
        return held

    def apply(self, entry: Entry) -> None:
        kind, body, now = entry.leaf["kind"], entry.body, entry.leaf["record_time"]
        if kind == "artifact.stored":
            self.store(body)
        elif kind == "access.read":
            reason = body.get("reason")
            need(isinstance(reason, str) and bool(reason.strip()), "is read for no reason")
            self.there(body.get("artifact_id"))
        elif kind == "verify.result":
            self.check(body.get("checked"))
        else:
            try:
                said = read_statement(body, self.people)
            except ValueError as error:
                raise StatementError(str(error)) from error
            need(said["kind"] == kind, "states something else than its entry")
            need(said["case"] == self.case, "is of another case")
            self.act(kind, said, now)

    def store(self, body: dict[str, Any]) -> None:
        stays = {name: body.get(name) for name in STAYS}
        need(all(isinstance(one, str) for one in (*stays.values(), body.get("name"))), "is no text")
        before = self.artifacts.get(stays["artifact_id"] or "")
        if before is None:
            self.artifacts[str(stays["artifact_id"])] = Held(
                {name: str(value) for name, value in stays.items()}, body.get("sensitive") is True
            )
            return
        same = before.what_stays["manifest_sha256"] == stays["manifest_sha256"]
        need(same, "an artifact has two manifests")

    def check(self, checked: Any) -> None:
        need(isinstance(checked, list) and bool(checked), "tells of nothing that was checked")
        for one in checked:
            need(isinstance(one, dict) and one.get("found") in FOUND, "found something else")
            held = self.known(one.get("artifact_id"))
            same = one.get("stored_sha256") == held.what_stays["stored_sha256"]
            need(same, "another hash was checked")

    def act(self, kind: str, said: dict[str, Any], now: str) -> None:
        late = time_of(now) - time_of(said["at"])
        need(-BEFORE <= late <= AFTER, "takes effect at another time than it was stated for")
        need(dumps(said) not in self.taken, "took effect before")
        match kind:
            case "custody.brought":
                for stays in said["kept"]:
                    same = stays == self.there(stays["artifact_id"]).what_stays
                    need(same, "an artifact is told otherwise")
            case "hold.set":
                need(said["hold"] not in self.names_of_holds, "such a hold was set before")
                for one in said["artifacts"] or ():
                    self.there(one)
                self.holds[said["hold"]] = said["artifacts"]
                self.names_of_holds.add(said["hold"])
            case "hold.release":
                need(said["hold"] in self.holds, "no such hold is in force")
                del self.holds[said["hold"]]
            case "retention.extend":
                self.retain(said["artifacts"], said["until"], now)
            case "custody.transfer":
                held = [self.there(one) for one in said["artifacts"]]
                need(all(one.holder == said["from"] for one in held), "is held by another")
                for one in held:
                    one.holder = said["to"]
            case "disposed":
                self.dispose(said["kept"], now)
            case "erasure":
                need(not self.broken, "an entry before broke a rule, so nothing is erased")
                need(not self.holds, "is under a hold")
            case _:
                for role in ("original", "map", "copy"):
                    same = said[role] == self.known(said[role]["artifact_id"]).what_stays
                    need(same, "an artifact is told otherwise")
        self.taken.add(dumps(said))

    def retain(self, artifacts: list[str] | None, until: str, now: str) -> None:
        need(until > now, "is kept until a time that is past")
        if artifacts is None:
            need(until > self.until, "would be kept for a shorter time")
            self.until = until
            return
        held = [self.there(one) for one in artifacts]
        need(all(until > max(one.until, self.until) for one in held), "would be kept shorter")
        for one in held:
            one.until = until

    def dispose(self, kept: list[dict[str, str]], now: str) -> None:
        need(not self.broken, "an entry before broke a rule, so nothing is disposed of")
        going = []
        for stays in kept:
            name = stays["artifact_id"]
            held = self.there(name)
            need(stays == held.what_stays, "an artifact is told otherwise")
            need(held.sensitive, "lies in the clear")
            under = any(of is None or name in of for of in self.holds.values())
            need(not under, "is under a hold")
            need(max(held.until, self.until) <= now, "must be kept still")
            going.append(held)
        for held in going:
            held.gone = True


def text(value: Any) -> None:
    need(isinstance(value, str) and 1 <= len(value) <= 500, "is no text")
    for mark in value:
        category = unicodedata.category(mark)
        need(category[0] != "C" and category not in ("Zl", "Zp"), "a text has an odd character")
        need(category != "Zs" or mark == " ", "a text has an odd space")


def ids(value: Any) -> None:
    need(isinstance(value, list) and 1 <= len(value) <= 50, "names no artifacts, or too many")
    matches(NAMED, *value)
    need(value == sorted(set(value)), "names artifacts in another order, or twice")


def stays(value: Any) -> None:
    members(value, **dict.fromkeys(STAYS, str))
    matches(NAMED, value["artifact_id"])
    matches(HASH, value["stored_sha256"], value["manifest_sha256"])
    matches(SIZE, value["size"])


def check_statement(said: Any) -> None:
    forms: dict[str, dict[str, type]] = {
        "custody.brought": {"origin": str, "kept": list},
        "hold.set": {"hold": str, "artifacts": object},
        "hold.release": {"hold": str},
        "retention.extend": {"until": str, "artifacts": object},
        "custody.transfer": {"artifacts": list, "from": str, "to": str, "place": str},
        "disposed": {"kept": list},
        "redaction": {"original": dict, "map": dict, "copy": dict},
        "erasure": {"values": list},
    }
    need(said.get("kind") in [*forms], "is of no kind that is known")
    members(said, schema=str, kind=str, case=str, at=str, reason=str, **forms[said["kind"]])
    matches(NAMED, said["case"])
    need(said["schema"] == "urn:stanch:custody:1", "its schema is not known")
    time_of(said["at"])
    for name, value in said.items():
        if name in ("reason", "origin", "hold", "from", "to", "place"):
            text(value)
        elif name == "until":
            time_of(value)
        elif name == "artifacts" and value is not None:
            ids(value)
        elif name == "kept":
            for one in value:
                stays(one)
            ids([one["artifact_id"] for one in value])
        elif name in ("original", "map", "copy"):
            stays(value)
        elif name == "values":
            matches(HASH, *value)
            need(1 <= len(value) <= 100 and value == sorted(set(value)), "values are out of order")


def read_statement(body: Any, people: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statement of an entry when it is well formed and signed by enough people."""
    members(body, statement=dict, signatures=list)
    said: dict[str, Any] = body["statement"]
    check_statement(said)
    names, points = [], []
    for one in body["signatures"]:
        members(one, name=str, jwk=dict, token=str)
        text(one["name"])
        key = parse_jwk_point(one["jwk"])
        payload = read_token(one["token"].encode(), "stanch-custody+jws", {one["name"]: key})
        need(payload == dumps(said), "a signature is over something else")
        pinned = people.get(one["name"], key)
        need(pinned.public_numbers() == key.public_numbers(), f"{one['name']} has another key")
        names.append(one["name"])
        points.append(key.public_numbers())
    need(len(names) == SIGNATURES[said["kind"]], "has not as many signatures as it needs")
    need(len({*names}) == len({*points}) == len(names), "somebody signed twice")
    if said["kind"] == "custody.transfer":
        need(names == [said["from"], said["to"]], "is not signed by who gives, then who takes")
    return said


def erased_values(entries: list[Entry], trust: Trust | None) -> set[str]:
    """Return the commitments of what two people signed as erased."""
    found: set[str] = set()
    for entry in entries:
        if entry.leaf["kind"] != "erasure" or entry.body is None:
            continue
        try:
            said = read_statement(entry.body, trust.people if trust else {})
        except ValueError:
            continue
        if (said["kind"], said["case"]) == ("erasure", entry.leaf["case"]):
            found |= set(said["values"])
    return found


def check_custody(entries: list[Entry], trust: Trust | None, to: Findings) -> set[str]:
    """Return the hashes of the files that may be missing, for what they were was disposed of."""
    state = Custody(entries[0].leaf["case"], trust.people if trust else {})
    dark = False
    for entry in entries:
        kind = entry.leaf["kind"]
        if kind not in KINDS:
            continue
        if entry.body is None:
            dark |= kind in SIGNATURES or kind == "artifact.stored"
            if kind in SIGNATURES:
                state.broken = True
                to.lacking.append(f"entry {entry.index}: nobody can tell what it did")
            continue
        if kind in SIGNATURES and all_hidden(entry.actor or "", entry.body):
            dark = state.broken = True
            continue
        try:
            state.apply(entry)
        except ValueError as error:
            state.broken = True
            late = dark and not isinstance(error, StatementError)
            (to.lacking if late else to.wrong).append(f"entry {entry.index}: {error}")
    files: dict[str, bool] = {}
    for held in state.artifacts.values():
        name = held.what_stays["stored_sha256"]
        files[name] = files.get(name, True) and held.gone
    return {name for name, gone in files.items() if gone}
