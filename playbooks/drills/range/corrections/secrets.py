"""Staging labels of Secrets Manager say which version is read.

Secrets Manager: GetSecretValue: without version and label it is AWSCURRENT;
UpdateSecretVersionStage: a label that is on another version moves only when that version is named
in RemoveFromVersionId. moto reads the version that was put last as current, and moves any label
but AWSCURRENT without being told from where, so that two versions bear it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.secretsmanager.models import secretsmanager_backends

from playbooks.drills.range.corrections.correction import AS_IT_IS
from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

CURRENT = "AWSCURRENT"


def get(_ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """GetSecretValue of the version that bears AWSCURRENT, unless another is asked for."""
    if asked.params.get("VersionId") or asked.params.get("VersionStage"):
        return AS_IT_IS
    return onward({**asked.params, "VersionStage": CURRENT})


def move(_ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """UpdateSecretVersionStage: refused unless it says where the label is now."""
    label, named = asked.params["VersionStage"], asked.params.get("RemoveFromVersionId")
    to = asked.params.get("MoveToVersionId")
    backend: Any = secretsmanager_backends[asked.account][asked.region]
    secret = backend.secrets.get(asked.params["SecretId"])
    bearing = secret and next(
        (i for i, v in secret.versions.items() if label in v["version_stages"]), None
    )
    if bearing and bearing not in (named, to):
        raise AwsError(
            "InvalidParameterException",
            f"The staging label {label} is currently attached to version {bearing}, so you must "
            "explicitly reference that version in RemoveFromVersionId.",
            400,
        )
    return AS_IT_IS


CORRECTIONS: Corrections = {
    ("secretsmanager", "GetSecretValue"): get,
    ("secretsmanager", "UpdateSecretVersionStage"): move,
}
