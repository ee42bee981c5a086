"""A secret's versions are found by their staging labels, and a request is done once.

Secrets Manager: GetSecretValue ("If you don't specify either a VersionStage or VersionId, then the
AWSCURRENT version is returned"); PutSecretValue: a ClientRequestToken that is known with the same
value is ignored, with another value refused (ResourceExistsException); UpdateSecretVersionStage: a
label that another version has must be named in RemoveFromVersionId. moto gives the newest version
as the current one, takes another value for a known token, and leaves a label on two versions.
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


def get(_ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """GetSecretValue."""
    if asked.params.get("VersionId") or asked.params.get("VersionStage"):
        return AS_IT_IS
    return onward({**asked.params, "VersionStage": "AWSCURRENT"})


def put(_ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """PutSecretValue, and UpdateSecret where it brings a value."""
    token, secret = asked.params.get("ClientRequestToken"), _secret(asked)
    known = secret.versions.get(token) if secret is not None else None
    if known is not None and _value(asked.params) != (None, None):
        before = known.get("secret_string"), known.get("secret_binary")
        if _value(asked.params) != before:
            raise AwsError(
                "ResourceExistsException",
                f"A version {token} exists already, with another value.",
            )
    return AS_IT_IS


def move(_ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """UpdateSecretVersionStage."""
    secret, stage = _secret(asked), asked.params["VersionStage"]
    versions = secret.versions if secret is not None else {}
    holders = [name for name, v in versions.items() if stage in v["version_stages"]]
    leaves, gets = asked.params.get("RemoveFromVersionId"), asked.params.get("MoveToVersionId")
    if gets in holders:
        return {"ARN": secret.arn, "Name": secret.name}
    if gets and holders and leaves not in holders:
        raise AwsError(
            "InvalidParameterException",
            f"The staging label {stage} is currently attached to version {holders[0]}, so you must "
            "explicitly reference that version in RemoveFromVersionId.",
        )
    return AS_IT_IS


def _secret(asked: Asked) -> Any:
    store: Any = secretsmanager_backends[asked.account][asked.region].secrets
    named = asked.params["SecretId"]
    return store[named] if named in store else None


def _value(params: Mapping[str, Any]) -> tuple[Any, Any]:
    return params.get("SecretString"), params.get("SecretBinary")


CORRECTIONS: Corrections = {
    ("secretsmanager", "GetSecretValue"): get,
    ("secretsmanager", "PutSecretValue"): put,
    ("secretsmanager", "UpdateSecret"): put,
    ("secretsmanager", "UpdateSecretVersionStage"): move,
}
