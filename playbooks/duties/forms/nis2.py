"""The reports of a significant incident to a CSIRT or authority (NIS 2 Directive Art. 23(4))."""

from collections.abc import Mapping

from playbooks.duties.duty import Duty
from playbooks.duties.forms.sheet import form, sheet
from playbooks.duties.organisation import Organisation

FORM = form("nis2")


def nis2(duty: Duty, organisation: Organisation, filled: Mapping[str, str]) -> dict[str, object]:
    """Return the report that the duty's stage wants. Raises LetterError."""
    return sheet(FORM, duty, organisation, filled)
