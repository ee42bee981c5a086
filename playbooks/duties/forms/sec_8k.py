"""The text of Item 1.05 of Form 8-K: a cybersecurity incident found to be material."""

from collections.abc import Mapping
from typing import cast

from playbooks.duties.duty import Duty
from playbooks.duties.forms.sheet import form, sheet
from playbooks.duties.letters import DRAFT, gap
from playbooks.duties.organisation import Organisation

FORM = form("sec_8k")


def sec_8k(duty: Duty, organisation: Organisation, filled: Mapping[str, str]) -> dict[str, object]:
    """Return the fields and, as `text`, the draft of the Item. Raises LetterError."""
    made = sheet(FORM, duty, organisation, filled)
    content = cast("dict[str, dict[str, str | None]]", made["content"])
    return {**made, "text": _text(duty, content)}


def _text(duty: Duty, content: Mapping[str, Mapping[str, str | None]]) -> str:
    said = {
        f"{group}.{name}": content[group][name] or gap(field.asks)
        for group, fields in FORM.groups.items()
        for name, field in fields.items()
    }
    amended = " (amendment, on Form 8-K/A)" if duty.stage.id == "8ka" else ""
    lines = (
        f"Item 1.05 Material Cybersecurity Incidents{amended}",
        f"{said['registrant.name']} (the registrant) has determined that it experienced a material "
        f"cybersecurity incident. Day of this determination: {said['incident.determined_on']}",
        f"Nature, scope and timing: {said['incident.nature_scope_timing']}",
        f"Material impact: {said['incident.impact']}",
        # Instruction 2 to Item 1.05 wants this said, and an amendment when it is known.
        "Not determined or not available at the time of this filing: "
        f"{said['incident.undetermined']}",
        f"Signed by: {said['registrant.signed_by']}",
        DRAFT,
    )
    return "\n\n".join(lines)
