"""All corrections; a new subject is one more name in SUBJECTS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbooks.drills.range.corrections import interfaces

if TYPE_CHECKING:
    from playbooks.drills.range.corrections.correction import Correction

SUBJECTS = (interfaces,)


def corrections_for(model_name: str, operation: str) -> list[Correction]:
    """The corrections of one operation, outermost first."""
    key = (model_name, operation)
    return [subject.CORRECTIONS[key] for subject in SUBJECTS if key in subject.CORRECTIONS]


def mend() -> None:
    """Apply what is put right in moto's models themselves, once a process."""
    interfaces.mend()
