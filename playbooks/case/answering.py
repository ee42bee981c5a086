"""A person's answer: signed with their own key, by someone other than who asked."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from evidence import canonical, jws, jws_token
from evidence.errors import EvidenceError
from playbooks.case import store
from playbooks.case.asking import UNDOING
from playbooks.case.incident import Question
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.errors import ApprovalError, UnknownIncidentError

TYPE = "stanch-answer+jws"
FIELDS = {"question", "incident", "digest", "answer", "reason", "at"}


def digest(question: Question) -> str:
    """Return SHA-256, in hex, over the scopes: action class, target, keys written, losses."""
    return hashlib.sha256(canonical.canonical(list(question.scopes))).hexdigest()


def sign(question: Question, yes: bool, reason: str, person: str, key: Any, at: datetime) -> str:
    """Return the person's answer as a JWS (RFC 7515) with their own ES256 key."""
    said = {
        "question": question.id,
        "incident": question.incident,
        "digest": digest(question),
        "answer": "yes" if yes else "no",
        "reason": reason,
        "at": at.isoformat(),
    }
    return jws.sign(canonical.canonical(said), key, person, TYPE)


def answer(
    db: Store, record: Record, question_id: str, token: str, people: Mapping[str, Any]
) -> Question:
    """Check the signed answer and record it.

    Raises ApprovalError when it does not count, and says why; nothing is recorded then.
    """
    try:
        said = _read(jws.verify(token, people, TYPE))
    except EvidenceError as error:
        raise ApprovalError(
            f"the answer's signature does not hold: {error}. It must be signed with the key of a "
            "person under [people] in stanch.toml."
        ) from error
    person = jws_token.take_apart(token, TYPE).kid

    def work(conn: Connection) -> Question:
        store.lock(conn, f"question/{question_id}")
        question = next((q for q in store.questions(conn) if q.id == question_id), None)
        if question is None:
            raise UnknownIncidentError(f"there is no question {question_id!r}.")
        _check(question, said, person, store.clock(conn, record.now))
        status = store.incident(conn, question.incident).status
        if status in ("rolled-back", *store.RELEASED):
            raise ApprovalError(
                f"{question.incident} is {status.replace('-', ' ')}, so {question.id} has nothing "
                "left to decide."
            )
        values = {"state": said["answer"], "approver": person, "reason": said["reason"]}
        store.change_question(conn, question.id, **values, proof=token)
        body = {"question": question.id, "proof": token, "digest": said["digest"]} | values
        record.note(conn, question.incident, "approval.answered", body, actor=person)
        if not question.step.startswith(UNDOING):
            store.count_entry(conn, question.incident)
            store.drop_timer(conn, question.incident, question.expires)
            store.add_work(conn, question.incident, "answer", store.clock(conn, record.now))
        return next(q for q in store.questions(conn) if q.id == question_id)

    return db.commit(work)


def _read(payload: bytes) -> dict[str, str]:
    try:
        said = json.loads(payload)
    except ValueError:
        said = None
    if (
        not isinstance(said, dict)
        or said.keys() != FIELDS
        or not all(isinstance(v, str) for v in said.values())
        or said["answer"] not in ("yes", "no")
    ):
        raise ApprovalError(
            f"the answer is not one: expected {', '.join(sorted(FIELDS))} as text, and yes or no. "
            "Make it with `stanch approve`."
        )
    return said


def _check(question: Question, said: Mapping[str, Any], person: str, now: datetime) -> None:
    meant = (question.id, question.incident, digest(question))
    if (said["question"], said["incident"], said["digest"]) != meant:
        raise ApprovalError("the answer was signed for another question or another scope.")
    if now >= question.expires:
        raise ApprovalError(f"{question.id} expired at {question.expires.isoformat()}. Ask again.")
    if question.state != "open":
        raise ApprovalError(f"{question.id} was answered already by {question.approver}.")
    if person == question.requester:
        raise ApprovalError(f"{person} asked for this, so somebody else must answer.")
