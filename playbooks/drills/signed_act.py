"""Act 2: a finding comes signed, is answered, and the host released: recovered, not innocent."""

from datetime import timedelta
from typing import Any

from playbooks.drills import deliver, host, looks
from playbooks.drills.asking import answered
from playbooks.drills.deliver import altered, post, signed
from playbooks.drills.drill import PATIENCE, Drill
from playbooks.drills.range.keys import Credentials
from playbooks.drills.scenario import SENDER, finding

SENT = "signed request"
AGAIN = ", again"


def play(drill: Drill, url: str) -> str:
    """Run the act up to the release; returns the incident's id. `url` is the endpoint's."""
    before = host.describe(drill.clients, drill.estate)
    held = drill.world.instance_credentials(drill.estate.target)
    incident = contain(drill, url, held)
    release(drill, incident, held, before)
    return incident


def contain(drill: Drill, url: str, held: Credentials) -> str:
    """Post forged, real, replayed and repeated requests; only the real one does anything."""
    score, world = drill.score, drill.world
    event, sent, since = finding(world, drill.estate, 2), world.now(), len(world.calls)
    key = drill.deployment.environment["STANCH_DRILL_SIEM_KEY"]
    letter = signed(SENDER, key, event, sent)
    first = post(url, letter)
    score.claim("a signed request is accepted", (202, True), _accepted(first))
    drill.rests()
    incident = str(first.said.get("incident", "INC-0002"))
    told = drill.run("show", incident, "--json").json
    looks.times(drill, told, sent, since, SENT)
    looks.contained(drill, told, held, AGAIN)
    refuses(drill, url, letter, event)
    return incident


def refuses(drill: Drill, url: str, letter: deliver.Letter, event: dict[str, Any]) -> None:
    """Post what no sender sent, or sent before; nothing comes of it."""
    score, since, now = drill.score, len(drill.world.calls), drill.world.now()
    key = drill.deployment.environment["STANCH_DRILL_SIEM_KEY"]
    known = len(drill.watch.findings())
    forged = [
        post(url, signed(SENDER, "0" * 64, event, now)),
        post(url, signed("nobody", key, event, now)),
        post(url, altered(letter)),
    ]
    score.claim("a forged request is refused", [401] * 3, [one.status for one in forged])
    stale = post(url, signed(SENDER, key, event, now - timedelta(hours=1)))
    score.claim("a stale request is refused", 403, stale.status)
    replayed = post(url, letter)
    score.claim("a replayed request is refused", 409, replayed.status)
    repeated = post(url, signed(SENDER, key, event, now + timedelta(seconds=1)))
    drill.rests()
    # Another time of sending, so this is no replay; but the finding is known.
    seen = (*_accepted(repeated), len(drill.watch.findings()) - known)
    score.claim("the same finding, signed anew, is known", (202, False, 0), seen)
    changed = [call.operation for call in drill.changes(since)]
    score.claim("and none starts anything", (2, []), (len(drill.watch.incidents()), changed))


def _accepted(answer: deliver.Answered) -> tuple[int, Any]:
    return answer.status, answer.said.get("new")


def release(drill: Drill, incident: str, held: Credentials, before: dict[str, Any]) -> None:
    """Release the host: old sessions stay denied, new ones work, the rest is as it was."""
    score = drill.score
    done = answered(drill, incident, "release", "rebuilt from a clean image")
    score.claim("the release ends well", 0, done.status)
    if done.status != 0:
        drill.seen["release"] = done.out + done.err
    drill.tick(120)
    old = drill.reach(held)
    score.claim("sessions from before stay denied", [], [k for k, v in old.items() if v])
    new = drill.reach(drill.world.instance_credentials(drill.estate.target, renewed=True))
    score.claim("new sessions work", [], [k for k, v in new.items() if not v])
    now = host.describe(drill.clients, drill.estate)
    changed = sorted(k for k in now if now[k] != before[k])
    score.claim("all else is as it was", ["role policies"], changed)


def wait_out(drill: Drill, incident: str) -> None:
    """Let the longest session end; whoever serves must lift the denial by itself after that."""
    due = drill.watch.last_due(incident)
    drill.score.claim("the denial's end is on record", True, due is not None)
    if due is not None:
        drill.tick((due - drill.world.now()).total_seconds() + 1)


def lifted(drill: Drill, incident: str, before: dict[str, Any]) -> None:
    """See that nothing of Stanch's is left on the host or its role, and that Stanch says so."""

    def gone() -> bool:
        return host.describe(drill.clients, drill.estate) == before

    drill.waited(gone, PATIENCE / 2)
    now = host.describe(drill.clients, drill.estate)
    drill.score.claim("the denial ends with the old sessions", before, now)
    drill.rests()
    told = drill.run("show", incident, "--json").json
    drill.score.claim("and the incident is released", "released", told.get("status"))
