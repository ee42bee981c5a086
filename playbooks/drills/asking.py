"""Claims that every scenario makes alike: evidence that proves itself, and a way back by two."""

import shutil
from pathlib import Path
from typing import Any

from playbooks.drills.drill import Drill


def prove(drill: Drill, incident: str, out: Path) -> None:
    """Export, verify offline, and see that a tampered copy is caught."""
    score, trust, bundle = drill.score, out / "trust.json", out / "bundle"
    shutil.copy(drill.deployment.settings.home / "keys" / "trust.json", trust)
    exported = drill.run("export", incident, "-o", str(bundle))
    score.claim("the bundle is written", 0, exported.status)
    verdict = drill.verify(bundle, trust)
    drill.seen["verdict"] = verdict.json
    told = verdict.json
    score.claim("a witness of another process cosigned it", True, told.get("witnessed"))
    score.claim("an authority of another process stamped it", True, told.get("timestamped"))
    # Plainly valid: nothing is wrong, and nothing is lacking.
    score.claim("the bundle verifies offline", 0, verdict.status)
    if not bundle.is_dir():
        return
    copy = drill.folder / "tampered"
    shutil.copytree(bundle, copy)
    artifacts = [*(copy / "data" / "artifacts").glob("*"), copy / "bagit.txt"]
    victim = max(artifacts, key=lambda p: p.stat().st_size)
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    caught = drill.verify(copy, trust)
    drill.seen["tampered"] = caught.json
    score.claim("a flipped bit is caught", 1, caught.status)
    score.claim("and named", True, victim.name in caught.out)


def answered(drill: Drill, incident: str, verb: str, reason: str) -> Any:
    """Alice asks for it, may not approve it herself, Bob does, and it is done; returns how."""
    score, here, since = drill.score, drill.deployment, len(drill.world.calls)
    asked = drill.run(verb, incident, "--key", str(here.alice))
    told = drill.run("show", incident, "--json").json
    question = next(
        (q["id"] for q in told.get("questions", []) if q["step"].startswith(f"{verb}/")), ""
    )
    changed = [call.operation for call in drill.changes(since)]
    score.claim(f"a {verb} asks first", (0, True, []), (asked.status, question != "", changed))
    own = drill.run("approve", question, "--key", str(here.alice))
    score.claim(f"nobody approves their own {verb}", 1, own.status)
    other = drill.run("approve", question, "--key", str(here.bob), "--reason", reason)
    score.claim(f"another person approves the {verb}", 0, other.status)
    drill.rests()
    done = drill.run(verb, incident, "--key", str(here.alice))
    drill.rests()
    return done
