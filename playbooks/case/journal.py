"""One incident's write-ahead journal: each record is a row and a ledger entry in one commit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from actions.journal import Intent, Json, Plan
from evidence import ledger
from playbooks.case import store
from playbooks.case.record import Record
from playbooks.case.store import Store


@dataclass(frozen=True, slots=True)
class CaseJournal:
    """Implements `actions.journal.Journal` over the incident store."""

    store: Store
    record: Record
    incident: str
    play: str = ""

    def find(self, step: str) -> Intent | None:
        return self.store.read(lambda conn: store.step(conn, self.incident, step))

    def intend(
        self,
        step: str,
        action: str,
        fields: Mapping[str, Json],
        plan: Plan,
        *,
        approval: str | None = None,
    ) -> Intent:
        """Record the step as about to happen, and the approval that it uses up, as one."""

        def work(conn: Connection) -> Intent:
            # Two deployments may both have an INC-0001 in one account, and neither may take what
            # the other made for its own; a case's pseudonym is random.
            mark = f"{self.incident}:{step}@{ledger.pseudonym(conn, self.incident)}"
            intent = Intent(step, action, fields, plan, "intended", mark)
            store.add_step(conn, self.incident, intent, self.record.now(), approval)
            body: dict[str, Any] = {"step": step, "action": action, "fields": dict(fields)}
            body |= {"plan": store.plan_json(plan), "mark": mark, "approval": approval}
            self.record.note(conn, self.incident, "action.intent", body | {"play": self.play})
            return intent

        return self.store.commit(work)

    def done(self, step: str, result: Mapping[str, Json], verdict: str) -> None:
        self._move(step, "action.done", "done", result=dict(result), verdict=verdict, error="")

    def undoing(self, step: str) -> None:
        self._move(step, "action.undoing", "undoing", finished=None)

    def undone(self, step: str, result: Mapping[str, Json]) -> None:
        self._move(step, "action.undone", "undone", result=dict(result), error="")

    def failed(self, step: str, error: str) -> None:
        """Record that a recorded step could not be brought into effect; its phase stays."""

        def work(conn: Connection) -> None:
            store.change_step(conn, self.incident, step, error=error)
            self.record.note(conn, self.incident, "action.failed", {"step": step, "error": error})

        self.store.commit(work)

    def _move(self, step: str, kind: str, phase: str, **values: Any) -> None:
        at = self.record.now().isoformat()

        def work(conn: Connection) -> None:
            row = {"finished": at} | values | {"phase": phase}
            store.change_step(conn, self.incident, step, **row)
            told = {k: v for k, v in values.items() if k in ("result", "verdict")}
            self.record.note(conn, self.incident, kind, {"step": step} | told)

        self.store.commit(work)
