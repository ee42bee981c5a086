"""The reports of a major ICT-related incident of a financial entity (DORA Art. 19).

A field bears the numbers that Annex I of the ITS gives to the fields which it stands for.
"""

from collections.abc import Mapping

from playbooks.duties.duty import Duty
from playbooks.duties.forms.sheet import form, sheet
from playbooks.duties.organisation import Organisation

FORM = form("dora")


def dora(duty: Duty, organisation: Organisation, filled: Mapping[str, str]) -> dict[str, object]:
    """Return the report that the duty's stage wants. Raises LetterError."""
    return sheet(FORM, duty, organisation, filled)
