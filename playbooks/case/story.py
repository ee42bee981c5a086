"""An incident as a person or a machine reads it: a view of the journal and the ledger."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from actions.journal import Intent
from evidence import ledger
from playbooks.case import holds, store
from playbooks.case.gate import said
from playbooks.case.incident import Incident
from playbooks.case.residual import PAPERWORK, residual, status
from playbooks.case.severity import RESPONSE
from playbooks.case.store import Hold
from playbooks.case.subject import subject


def story(conn: Connection, incident_id: str) -> dict[str, Any]:
    """Return the whole incident as JSON values: steps, evidence, questions, residual, timeline."""
    incident = store.incident(conn, incident_id)
    rows = store.steps(conn, incident_id)
    left = store.left(conn, incident_id)
    there = store.holds(conn, incident.place, incident.opened)
    # What nobody has touched yet is open, and must be said to be.
    waits = incident.play and incident.status != "gone"
    times = RESPONSE[incident.severity]
    freeze = store.frozen(conn, incident.target["account"])
    return {
        "id": incident.id,
        "title": incident.title,
        "play": incident.play,
        "severity": incident.severity.value,
        "status": incident.status,
        "says": incident.says,
        "opened": incident.opened.isoformat(),
        "acknowledge_by": (incident.opened + times.acknowledge).isoformat(),
        "contain_by": (incident.opened + times.contain).isoformat(),
        "requester": incident.requester,
        "target": dict(incident.target),
        "hindrances": list(incident.hindrances),
        "frozen": said(freeze) if freeze else "",
        "steps": [
            {
                "number": number,
                "step": intent.step,
                "phase": intent.phase,
                "verdict": intent.verdict,
                "changes": {
                    k: [intent.plan.before.get(k), v]
                    for k, v in intent.plan.wanted.items()
                    if intent.plan.before.get(k) != v
                },
                "result": None if intent.plan.wanted else intent.result,
                "held": _held(there, incident_id, intent),
                "blast": list(intent.plan.blast),
                "lost": list(intent.plan.lost),
            }
            | dict(told)
            for number, (intent, told) in enumerate(rows, 1)
        ],
        "evidence": [
            {"step": step} | value
            for step, value in store.all_kept(conn, incident_id)
            if step.startswith("keep/")
        ],
        "follow_ups": [
            {"what": step.partition("/")[2], "at": value["at"]}
            for step, value in store.all_kept(conn, incident_id)
            if step.startswith("due/")
        ],
        "questions": [
            {
                "id": q.id,
                "step": q.step,
                "state": q.state,
                "scopes": list(q.scopes),
                "about": dict(q.about),
                "expires": q.expires.isoformat(),
                "approver": q.approver,
                "reason": q.reason,
            }
            for q in store.questions(conn, incident_id)
        ],
        "left": [{"step": step} | dict(why) for step, why in left.items()],
        "residual": list(_open(conn, incident, [i for i, _ in rows]))
        if rows or left or waits
        else [],
        "timeline": timeline(conn, incident_id),
    }


def _held(there: list[Hold], incident: str, intent: Intent) -> dict[str, str]:
    """Return key -> incident: who holds it on, or would if this step went."""
    given_up = {
        k: why.removeprefix(holds.HELD)
        for k, why in intent.plan.unseen.items()
        if why.startswith(holds.HELD)
    }
    mine = [h for h in there if (h.incident, h.intent.step) == (incident, intent.step)]
    if not mine or holds.lens_of(intent.action, intent.fields) is None:
        return given_up
    others = holds.going(mine[0], there).held
    return given_up | {k: who for k, who in others.items() if who != incident}


def _open(conn: Connection, incident: Incident, steps: list[Intent]) -> tuple[str, ...]:
    own = subject(conn, incident)
    return residual(steps, store.left(conn, incident.id), incident.play, own)


def standing(conn: Connection, incident_id: str) -> str:
    """Return how far the incident has come, from its steps alone."""
    steps = [intent for intent, _ in store.steps(conn, incident_id)]
    incident = store.incident(conn, incident_id)
    if not steps and incident.play not in PAPERWORK:
        return "proposed"
    own = subject(conn, incident)
    return status(steps, store.left(conn, incident_id), incident.play, own)


def timeline(conn: Connection, incident_id: str) -> list[dict[str, Any]]:
    """Return the ledger's entries of the incident: when, who, what, and the leaf's place."""
    return [
        {
            "at": entry.leaf.event_time,
            "kind": entry.leaf.kind,
            "actor": entry.opening.actor if entry.opening else "erased",
            "index": entry.index,
            "leaf": entry.leaf_hash.hex(),
            "step": entry.body.get("step", "") if entry.opening else "",
            "about": _about(entry.body) if entry.opening else "",
        }
        for entry in ledger.entries(conn, incident_id)
    ]


def _about(body: Mapping[str, Any]) -> str:
    """Return what an entry says in a few words: which question, which answer, how it ended."""
    said = [body.get(key, "") for key in ("question", "state", "what", "ended", "why")]
    if isinstance(held := body.get("held by"), dict):
        said.append(f"held by {', '.join(sorted(set(held.values())))}")
    if "its step" in body:
        said.append(f"{body['from']} to {body['to']}")
    if isinstance(signed := body.get("statement"), dict):
        # What people signed about custody.
        said += [f"{signed['from']} to {signed['to']}"] if "from" in signed else []
        said += [signed.get(key, "") for key in ("hold", "until", "reason")]
    return " ".join(text for text in said if text and isinstance(text, str))
