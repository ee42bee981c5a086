"""The least that Stanch needs for its own keys, where they live in KMS or in a Vault."""

from collections.abc import Mapping
from typing import Any

from evidence.keys import place_of
from evidence.signing.aws_kms import ALGORITHM, KmsKey
from evidence.signing.place import NO_CLIENTS, Use
from evidence.signing.vault_transit import TransitKey
from playbooks.wiring.key_places import places
from playbooks.wiring.settings import Settings

CHECKING = ("kms:DescribeKey", "kms:GetPublicKey")


def statements(settings: Settings, account: str) -> list[dict[str, Any]]:
    """Return the IAM statements for the keys in an account, or in all for `*`: exactly these."""
    found: list[dict[str, Any]] = []
    for use, key in sorted(_elsewhere(settings).items()):
        if not isinstance(key, KmsKey) or account not in ("*", key.arn.split(":")[4]):
            continue
        if use == "wrap":
            actions = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"]
            found.append({"Effect": "Allow", "Action": actions, "Resource": key.arn})
            continue
        sign = {"Effect": "Allow", "Action": ["kms:Sign"], "Resource": key.arn}
        only = {"StringEquals": {"kms:SigningAlgorithm": ALGORITHM[use]}}
        found.append(sign | {"Condition": only})
        found.append({"Effect": "Allow", "Action": list(CHECKING), "Resource": key.arn})
    return found


def paths(settings: Settings, vault: str) -> dict[str, set[str]]:
    """Return path -> capabilities for the keys in one Vault."""
    found: dict[str, set[str]] = {}
    for use, key in _elsewhere(settings).items():
        if isinstance(key, TransitKey) and key.vault == vault:
            found[f"{key.mount}/keys/{key.key}"] = {"read"}
            for does in ("encrypt", "decrypt") if use == "wrap" else ("sign",):
                found[f"{key.mount}/{does}/{key.key}"] = {"update"}
    return found


def _elsewhere(settings: Settings) -> Mapping[Use, object]:
    folder = settings.home / "keys"
    return {use: place_of(one.uri, NO_CLIENTS) for use, one in places(folder).items()}
