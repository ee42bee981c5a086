"""The incident store: the only SQL of playbooks, and the one place that commits."""

from playbooks.case.store.alerts import add_alert, join_alert
from playbooks.case.store.commit import Store, clock, lock
from playbooks.case.store.freezes import (
    EVERYWHERE,
    Freeze,
    add_freeze,
    drop_freeze,
    freezes,
    frozen,
)
from playbooks.case.store.incidents import (
    add_incident,
    count_entry,
    incident,
    incidents,
    raise_severity,
    set_status,
)
from playbooks.case.store.kept import all_kept, keep, kept, leave, left
from playbooks.case.store.leases import CALL, LEASE, Lease, hold, let_go, renew, take
from playbooks.case.store.questions import add_question, change_question, questions
from playbooks.case.store.steps import (
    add_step,
    approval_of,
    change_step,
    plan_json,
    step,
    steps,
    steps_allowed_by,
)
from playbooks.case.store.work import (
    Work,
    add_work,
    due_work,
    last_work,
    next_due,
    work_done,
    work_failed,
)

__all__ = [
    "CALL",
    "EVERYWHERE",
    "LEASE",
    "Freeze",
    "Lease",
    "Store",
    "Work",
    "add_alert",
    "add_freeze",
    "add_incident",
    "add_question",
    "add_step",
    "add_work",
    "all_kept",
    "approval_of",
    "change_question",
    "change_step",
    "clock",
    "count_entry",
    "drop_freeze",
    "due_work",
    "freezes",
    "frozen",
    "hold",
    "incident",
    "incidents",
    "join_alert",
    "keep",
    "kept",
    "last_work",
    "leave",
    "left",
    "let_go",
    "lock",
    "next_due",
    "plan_json",
    "questions",
    "raise_severity",
    "renew",
    "set_status",
    "step",
    "steps",
    "steps_allowed_by",
    "take",
    "work_done",
    "work_failed",
]
