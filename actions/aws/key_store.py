"""Where the secret of a new access key goes, and how it is found there again: never its value."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Protocol

from actions.aws.clients import Aws
from actions.aws.key_shape import key_in, opened, with_key
from actions.aws.secret import CURRENT, PENDING, Secret, describe, labels, value_of
from actions.errors import UnfitError
from actions.journal import Json

# How `token` names versions; AWS and rotation functions name theirs by UUIDs.
OURS = re.compile(r"[0-9a-f]{64}")


class KeyStore(Protocol):
    """One place for one user's key. Versions and ids come out of it, and a key for its trial."""

    def free(self) -> None:
        """Raise UnfitError or TargetGoneError where somebody else is changing what is here."""

    def frame(self) -> Mapping[str, Json]:
        """Return what is here now, for a key to be put into; never to be told. Raise UnfitError."""

    def holds(self, mark: str, key_id: str) -> bool:
        """Return whether this act has put this key here."""

    def put(self, mark: str, frame: Mapping[str, Json], key_id: str, secret: str) -> None:
        """Put a new key here, where consumers do not read yet. Putting it twice is once."""

    def held(self, mark: str, key_id: str) -> tuple[str, str]:
        """Return id and secret of a key that was put here: for a login, and nothing else."""

    def publish(self, mark: str, key_id: str) -> None:
        """Let consumers read the key, where nothing else does that."""

    def version(self, mark: str, key_id: str) -> str | None:
        """Return the version that holds the key, once that is all that this act is to do."""


class InSecretsManager:
    """A version with the label AWSPENDING; move_secret_stages makes it current.

    Its id, the ClientRequestToken, is drawn from mark and key id, so that a version proves which
    key is in it without being read (Secrets Manager API reference, "PutSecretValue").
    """

    def __init__(self, p: Aws, secret: Secret) -> None:
        self._p = p
        self._secret = secret

    def free(self) -> None:
        must_be_free(describe(self._p, self._secret), self._secret, "")

    def holds(self, mark: str, key_id: str) -> bool:
        return token(mark, key_id) in describe(self._p, self._secret).get("VersionIdsToStages", {})

    def frame(self) -> Mapping[str, Json]:
        current = labels(describe(self._p, self._secret)).get(CURRENT)
        if current is None:
            return {}
        return opened(value_of(self._p, self._secret, current), self._secret.name)

    def put(self, mark: str, frame: Mapping[str, Json], key_id: str, secret: str) -> None:
        self._p.secretsmanager.put_secret_value(
            SecretId=self._secret.name,
            SecretString=json.dumps(with_key(frame, key_id, secret)),
            ClientRequestToken=token(mark, key_id),
            VersionStages=[PENDING],
        )

    def held(self, mark: str, key_id: str) -> tuple[str, str]:
        text = value_of(self._p, self._secret, token(mark, key_id))
        return key_in(opened(text, self._secret.name))

    def publish(self, mark: str, key_id: str) -> None:
        """Leave that to the labels."""

    def version(self, mark: str, key_id: str) -> str | None:
        return token(mark, key_id)


def token(mark: str, about: str = "") -> str:
    """Return the version id that an act makes: 64 hex digits, the most that AWS takes."""
    return hashlib.sha256(f"{mark}\n{about}".encode()).hexdigest()


def must_be_free(found: dict[str, object], secret: Secret, ours: str) -> None:
    """Raise UnfitError where somebody else's rotation of the secret is under way, or its own runs.

    Source: Secrets Manager User Guide, "Rotation function overview": AWSPENDING is on no version,
    or on the same one as AWSCURRENT, unless a rotation is under way. A version of Stanch's that
    was rolled back bears the label still, and gives it up to the next.
    """
    known = labels(found)
    pending = known.get(PENDING)
    if pending and pending not in (known.get(CURRENT), ours) and not OURS.fullmatch(pending):
        raise UnfitError(
            f"a rotation of secret {secret.name} is under way: version {pending} is {PENDING}. "
            "Let it end, or take that label off, and enter the play again."
        )
    if found.get("RotationEnabled"):
        raise UnfitError(
            f"secret {secret.name} is rotated by {found.get('RotationLambdaARN') or 'AWS itself'}, "
            "which would not know of a version made here. Start that one (RotateSecret)."
        )
