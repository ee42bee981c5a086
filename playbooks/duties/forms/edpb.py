"""The notification of a personal data breach to a data protection authority (GDPR Art. 33)."""

from collections.abc import Mapping

from playbooks.duties.duty import Duty
from playbooks.duties.forms.sheet import form, sheet
from playbooks.duties.organisation import Organisation

FORM = form("edpb")


def edpb(duty: Duty, organisation: Organisation, filled: Mapping[str, str]) -> dict[str, object]:
    """Return the notification after the EDPB's template. Raises LetterError."""
    return sheet(FORM, duty, organisation, filled)
