"""What a person reads: short names, changes, questions, and a timeline that does not drown them."""

import io
from typing import Any

from rich.console import Console

from playbooks.desk.cli import questions, timeline, wording

TARGET = {"account": "111122223333", "region": "eu-west-1", "id": "i-0123456789abcdef0"}
HERE = "111122223333/eu-west-1/i-0123456789abcdef0"


def entry(kind: str, index: int | None, **more: Any) -> dict[str, Any]:
    plain = {"at": "2026-03-01T03:14:15.926535Z", "actor": "stanch", "step": "", "about": ""}
    return plain | {"kind": kind, "index": index} | more


def said(work: Any, *args: Any) -> str:
    page = io.StringIO()
    work(Console(file=page, soft_wrap=True, highlight=False, emoji=False), *args)
    return page.getvalue()


def test_forty_artifacts_are_one_line_and_everything_else_keeps_its_own() -> None:
    entries = [entry("case.open", 0, actor="guardduty")]
    entries += [entry("artifact.stored", n) for n in range(1, 41)]
    entries += [entry("keep.done", 41, step="keep/instance_facts/111122223333/eu-west-1")]
    entries += [entry("action.intent", 42, step=f"isolate_instance/{HERE}")]
    entries += [entry("action.intent", 43, step=f"tag_incident/{HERE}")]
    lines = said(timeline.show, {"timeline": entries, "target": TARGET}).splitlines()
    body = [line for line in lines if line.startswith("  ")]
    assert len(body) == 5
    assert "1-40" in body[1]
    assert "40 entries" in body[1]
    assert "by guardduty" in body[0]
    assert body[3].endswith("isolate_instance")
    assert all("2026-03-01 03:14:15Z" in line for line in body)


def test_what_no_checkpoint_holds_yet_has_no_place() -> None:
    entries = [entry("artifact.stored", None), entry("artifact.stored", None)]
    told = said(timeline.show, {"timeline": entries, "target": TARGET})
    assert "-  artifact.stored" in told
    assert "None" not in told


def test_a_name_leaves_out_the_incidents_own_target_and_no_other() -> None:
    assert wording.name(f"isolate_instance/{HERE}", TARGET) == "isolate_instance"
    other = "isolate_instance/111122223333/eu-west-1/i-00000000"
    assert wording.name(other, TARGET) != "isolate_instance"
    assert "i-00000000" in wording.name(other, TARGET)


def test_of_two_maps_only_what_differs_is_told() -> None:
    told = wording.change("lifecycle/web", {"state": "InService", "min": 1}, {"state": "Standby"})
    assert told == "lifecycle/web: state InService -> Standby"
    assert wording.change("a", None, [1]) == "a: none -> [1]"


def test_a_long_value_is_cut_and_cannot_act_on_the_terminal() -> None:
    told = wording.change("k", "[red]" * 500, "\x1b[31m")
    page = said(lambda console: console.print(told))
    assert len(page) < wording.WIDTH * 2
    assert "[red][red]" in page
    assert "\x1b" not in page


def test_a_question_tells_all_that_is_lost_and_felt() -> None:
    scopes = [{"action": "terminate_instance", "target": HERE, "keys": [], "lost": ["memory"]}]
    about = {"why": ["it destroys"], "blast": ["nobody else"], "failed": "Throttled"}
    q = {"step": f"ask/terminate_instance/{HERE}", "incident": "INC-1", "about": about}
    q |= {"scopes": scopes}
    told = said(questions.detail, q, TARGET)
    for word in ("terminate_instance", "memory", "it destroys", "nobody else", "Throttled"):
        assert word in told
    assert questions.after(q).endswith("stanch resume INC-1")


def test_one_reason_for_many_steps_is_read_once() -> None:
    gone = [[f"{step}/{HERE}", "the host is gone"] for step in ("one", "two", "three")]
    q = {"step": "rollback/all/x", "about": {"gone": gone}, "scopes": []}
    told = said(questions.detail, q, TARGET)
    assert told.count("the host is gone") == 1
    assert "one, two, three" in told


def test_after_a_rollbacks_answer_the_same_step_is_named() -> None:
    q: dict[str, Any] = {"incident": "INC-1", "step": f"rollback/5/enter_standby/{HERE}"}
    q |= {"scopes": [{"action": "rollback:enter_standby"}]}
    assert questions.after(q) == "stanch rollback INC-1 --key KEY --step 5"
    assert questions.subject(q, TARGET) == "undo enter_standby"
    whole = q | {"step": f"rollback/all/enter_standby/{HERE}"}
    assert questions.after(whole) == "stanch rollback INC-1 --key KEY"
