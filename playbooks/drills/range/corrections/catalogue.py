"""All corrections; a new subject is one more name in SUBJECTS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbooks.drills.range import organisation
from playbooks.drills.range.corrections import (
    attributes,
    aws_policies,
    births,
    boundaries,
    clock,
    console,
    credential_report,
    databases,
    deletions,
    details,
    groups,
    identity_center,
    interfaces,
    last_accessed,
    launches,
    load_balancing,
    organizations,
    paging,
    policies,
    protected_roles,
    protection,
    providers,
    queues,
    run_command,
    scaling,
    secrets,
    service_credentials,
    session_tokens,
    sessions,
    snapshot_blocks,
    snapshot_locks,
    snapshots,
    trail,
    trust_anchors,
)

if TYPE_CHECKING:
    from playbooks.drills.range.corrections.correction import Correction
    from playbooks.drills.range.ground import Ground

SUBJECTS = (
    attributes,
    aws_policies,
    births,
    boundaries,
    console,
    credential_report,
    databases,
    deletions,
    details,
    groups,
    identity_center,
    interfaces,
    last_accessed,
    launches,
    load_balancing,
    organizations,
    paging,
    policies,
    protected_roles,
    protection,
    providers,
    queues,
    run_command,
    scaling,
    secrets,
    service_credentials,
    session_tokens,
    sessions,
    snapshot_blocks,
    snapshot_locks,
    snapshots,
    trail,
    trust_anchors,
)


def corrections_for(model_name: str, operation: str) -> list[Correction]:
    """The corrections of one operation, outermost first."""
    key = (model_name, operation)
    return [subject.CORRECTIONS[key] for subject in SUBJECTS if key in subject.CORRECTIONS]


def mend(ground: Ground) -> None:
    """Apply what is put right in moto's models themselves, for the whole process."""
    aws_policies.mend()
    clock.mend(ground)
    interfaces.mend()
    organisation.mend()
    queues.mend(ground)
    scaling.mend()
