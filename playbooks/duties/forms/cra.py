"""The reports on a product's exploited vulnerability or severe incident (CRA Art. 14)."""

from collections.abc import Mapping

from playbooks.duties.duty import Duty
from playbooks.duties.forms.sheet import form, sheet
from playbooks.duties.organisation import Organisation

FORM = form("cra")


def cra(duty: Duty, organisation: Organisation, filled: Mapping[str, str]) -> dict[str, object]:
    """Return the report that the duty's stage wants. Raises LetterError."""
    return sheet(FORM, duty, organisation, filled)
