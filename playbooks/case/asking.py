"""The verb ask, and the approvals that acts need: a question is recorded, and the play waits."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from actions.action import Action, step_of
from actions.errors import ActionError, UnfitError
from playbooks.case import acting, rehearsing, store
from playbooks.case.answers import Approval, Kept, Refusal, Waiting
from playbooks.case.guard import Scope, beyond, target_of
from playbooks.case.incident import Question
from playbooks.errors import RefusedError

if TYPE_CHECKING:
    from actions.journal import Intent
    from playbooks.case.acting import Planned
    from playbooks.case.case import Case


# Questions about the way back: a person who asked goes on with it, not the play.
UNDOING = ("rollback/", "release/")


async def ask(
    case: "Case", action: Action[Any], step: str, about: Kept | None
) -> Approval | Refusal:
    """Return the answer to whether the act may happen. Raises Waiting until there is one.

    What cannot be done there is not asked about: that is a refusal too, which says why.
    """
    if not case.dry and (question := _asked(case, step)):
        return answer_to(case, question)
    try:
        planned = await acting.prepare(case, action, step.removeprefix("ask/"))
    except UnfitError as error:
        await acting.failed(case, action, step.removeprefix("ask/"), error, "continue")
        return Refusal("", str(error))
    if case.dry:
        case.planned.append(planned)
        return Refusal("", "only planned")
    if planned.decision.may == "never":
        raise RefusedError(f"{planned.step}: {'; '.join(planned.decision.why)}")
    facts = {"why": list(planned.decision.why), "blast": list(planned.plan.blast)}
    facts |= {"evidence": [a["name"] for a in about.artifacts] if about else []}
    raise Waiting(put(case, step, [planned.scope], facts).id)


async def ask_all(
    case: "Case", name: str, actions: Sequence[Action[Any]], *, again: str = ""
) -> Approval | Refusal:
    """Return the answer to one question about many acts. Raises Waiting until there is one.

    What cannot be done, is so already or may never be done is left out of it and recorded. The
    approval is then given to each act, with the same `again`; one that was not among them asks
    for itself.
    """
    step = f"ask/{name}"
    if not case.dry and (question := _asked(case, step)):
        return answer_to(case, question)
    planned = [found for one in actions if (found := await _prepared(case, one, again))]
    if case.dry:
        case.planned += planned
        return Refusal("", "only planned")
    if not planned:
        return Refusal("", "nothing of it is to be done")
    why = dict.fromkeys(w for p in planned for w in p.decision.why)
    blast = [text for p in planned for text in p.plan.blast]
    raise Waiting(put(case, step, [p.scope for p in planned], {"why": [*why], "blast": blast}).id)


def fit(case: "Case", actions: Sequence[Action[Any]], *, again: str = "") -> list[Action[Any]]:
    """Return those that were not left out of their question as what may or can never be done."""
    left = case.store.read(lambda conn: store.left(conn, case.incident.id))
    return [a for a in actions if left.get(step_of(a, again), {}).get("kind") != "unfit"]


async def _prepared(case: "Case", action: Action[Any], again: str) -> "Planned | None":
    step = step_of(action, again)
    try:
        planned = await acting.prepare(case, action, step)
    except ActionError as error:
        await acting.failed(case, action, step, error, "continue")
        return None
    if planned.decision.may != "never" or case.dry:
        return planned
    why = UnfitError("; ".join(planned.decision.why))
    await acting.failed(case, action, step, why, "continue")
    return None


async def covered(case: "Case", planned: "Planned", approval: Approval | Refusal | None) -> str:
    """Return the approved question that covers the act; ask and raise Waiting if there is none.

    Raises RefusedError when a person said no, or nobody answered in time.
    """
    if isinstance(approval, Refusal):
        raise RefusedError(f"{planned.step}: {approval.why}")
    scope, why = planned.scope, list(planned.decision.why)
    wider: tuple[str, ...] = ()
    for question in reversed(_all(case)):
        if not any(
            s["action"] == scope.action and s["target"] == scope.target for s in question.scopes
        ):
            continue
        given = approval is None or question.id == approval.question
        if not given and question.step != f"again/{planned.step}":
            continue
        if question.state == "lapsed":
            continue
        answer = answer_to(case, question)
        if isinstance(answer, Refusal):
            if question.state == "open":
                _lapse(case, question)
            raise RefusedError(f"{planned.step}: {answer.why}")
        if _used(case, question, planned):
            continue
        wider = beyond(scope, question.scopes)
        if not wider:
            return question.id
        break
    if wider:
        about = {"why": why, "beyond the earlier approval": list(wider)}
        raise Waiting(put(case, f"again/{planned.step}", [scope], about).id)
    scopes = [scope]
    about = {"why": why, "blast": list(planned.plan.blast)}
    if case.incident.hindrances:
        # One question for the whole proposal: at 3 a.m. nobody reads seven.
        rehearsed = await rehearsing.rehearse(case)
        scopes = [p.scope for p in rehearsed if p.decision.may == "ask" and not p.destroys]
        scopes += [scope] if beyond(scope, [s.json() for s in scopes]) else []
        about["blast"] = [b for p in rehearsed for b in p.plan.blast]
        # Acts that run together ask the same question.
        raise Waiting(put(case, "allow/play", scopes, about).id)
    raise Waiting(put(case, f"allow/{planned.step}", scopes, about).id)


def answered(case: "Case", intent: "Intent") -> str | None:
    """Return the approved question by which a recorded act was allowed."""
    return case.store.read(lambda conn: store.approval_of(conn, case.incident.id, intent.step))


async def go_on(case: "Case", step: str, error: str) -> None:
    """Ask whether the play goes on after a failure. Raises Waiting, or RefusedError on no."""
    question = _asked(case, f"go-on/{step}")
    if question is None:
        raise Waiting(put(case, f"go-on/{step}", [], {"failed": error}).id)
    answer = answer_to(case, question)
    if isinstance(answer, Refusal):
        raise RefusedError(f"{step} failed and a person chose not to go on: {answer.why}")


def put(case: "Case", step: str, scopes: list[Scope], about: Mapping[str, Any]) -> Question:
    """Record a question with its ledger entry, or return the same one where it is open still."""
    now = case.clock()
    open_ = _asked(case, step)
    if open_ and open_.state == "open" and now < open_.expires and _same(open_, scopes):
        return open_
    asked = Question(
        id="",
        incident=case.incident.id,
        step=step,
        scopes=tuple(s.json() for s in scopes),
        about=about,
        requester=case.incident.requester,
        asked=now,
        expires=now + timedelta(hours=case.parts.settings.answer_hours),
    )

    def work(conn: Connection) -> Question:
        named = store.add_question(conn, asked)
        body: dict[str, Any] = {"question": named.id, "step": step}
        body["scopes"] = list(named.scopes)
        body |= {"about": dict(about), "expires": named.expires.isoformat()}
        case.record.note(conn, case.incident.id, "approval.asked", body)
        if not step.startswith(UNDOING):
            # Nobody's answer is an answer too, and the play must end by it.
            store.add_timer(conn, case.incident.id, named.expires)
        return named

    return case.store.commit(work)


def answer_to(case: "Case", question: Question) -> Approval | Refusal:
    """Return the answer to a question. Raises Waiting while it is open and in time."""
    if question.state == "yes":
        return Approval(question.id, question.approver)
    if question.state == "no":
        return Refusal(question.id, f"{question.approver} said no: {question.reason}")
    if case.clock() >= question.expires:
        return Refusal(question.id, f"nobody answered {question.id} in time")
    raise Waiting(question.id)


def _lapse(case: "Case", question: Question) -> None:
    """Record that nobody answered in time. This entry ends refused; the next one asks anew."""

    def work(conn: Connection) -> None:
        store.change_question(conn, question.id, state="lapsed")
        body = {"question": question.id, "expired": question.expires.isoformat()}
        case.record.note(conn, case.incident.id, "approval.lapsed", body)

    case.store.commit(work)


def _same(question: Question, scopes: list[Scope]) -> bool:
    return list(question.scopes) == [s.json() for s in scopes]


def _all(case: "Case") -> list[Question]:
    return case.store.read(lambda conn: store.questions(conn, case.incident.id))


def _asked(case: "Case", step: str) -> Question | None:
    return next((q for q in reversed(_all(case)) if q.step == step), None)


def _used(case: "Case", question: Question, planned: "Planned") -> bool:
    rows = case.store.read(lambda conn: store.steps_allowed_by(conn, question.id))
    return any(
        intent.action == planned.scope.action and target_of(intent.step) == planned.scope.target
        for intent in rows
    )
