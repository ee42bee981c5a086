"""How a secret holds an access key: a JSON object with the key under names of the team's own."""

import json
from collections.abc import Mapping

from actions.errors import UnfitError
from actions.journal import Json

# Names under which consumers look for id and secret: as CreateAccessKey answers, as the AWS CLI's
# credentials file has them (AWS CLI User Guide, "Configuration and credential file settings"), and
# as Vault's AWS engine gives them (Vault API docs, "AWS secrets engine").
NAMES = (
    ("AccessKeyId", "SecretAccessKey"),
    ("aws_access_key_id", "aws_secret_access_key"),
    ("access_key", "secret_key"),
)


def opened(text: str, name: str) -> dict[str, Json]:
    """Return the object in a secret's text. Raise UnfitError, which quotes nothing, if none."""
    try:
        held = json.loads(text)
    except ValueError:
        held = None
    if not isinstance(held, dict):
        raise UnfitError(
            f"secret {name} holds no JSON object, so where in it a key belongs is not known. Put "
            f"it as an object with {NAMES[0][0]} and {NAMES[0][1]}."
        )
    return held


def with_key(held: Mapping[str, Json], key_id: str, secret: str) -> dict[str, Json]:
    """Return the same object with another key, under the names that it already uses."""
    id_name, secret_name = _names(held)
    return {**held, id_name: key_id, secret_name: secret}


def key_in(held: Mapping[str, Json]) -> tuple[str, str]:
    """Return id and secret of the key in the object, or empty strings."""
    id_name, secret_name = _names(held)
    return str(held.get(id_name, "")), str(held.get(secret_name, ""))


def key_of(text: str) -> tuple[str, str]:
    """Return id and secret of the access key in a secret's text, or empty strings."""
    try:
        return key_in(opened(text, ""))
    except UnfitError:
        return "", ""


def _names(held: Mapping[str, Json]) -> tuple[str, str]:
    return next((pair for pair in NAMES if pair[0] in held), NAMES[0])
