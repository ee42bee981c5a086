"""The notice of a breach of health information to the Secretary of HHS (45 CFR 164.408)."""

from collections.abc import Mapping

from playbooks.duties.duty import Duty
from playbooks.duties.forms.sheet import form, sheet
from playbooks.duties.organisation import Organisation

FORM = form("hhs")


def hhs(duty: Duty, organisation: Organisation, filled: Mapping[str, str]) -> dict[str, object]:
    """Return the notice after the portal's questions. Raises LetterError."""
    return sheet(FORM, duty, organisation, filled)
