"""One act of a review, and the rows whose decisions it carries out."""

from dataclasses import dataclass
from typing import Any

from actions.action import Action, fields_of, name_of


@dataclass(frozen=True, slots=True)
class Act:
    """One action, and the ids of the rows whose decisions it carries out."""

    action: Action[Any]
    rows: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        """Return it as an incident keeps it."""
        fields = fields_of(self.action)
        return {"action": name_of(self.action), "fields": fields, "rows": list(self.rows)}
