"""Reads what the auditor trusts: the log's key and the keys that sign manifests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evidence.errors import BundleError, EvidenceError
from evidence.jws_token import PublicKey, key_from_jwk
from evidence.note import NoteVerifier, parse_vkey


@dataclass(frozen=True, slots=True)
class Trust:
    """The log's verifier, and manifest keys by kid."""

    log: NoteVerifier
    manifest_keys: Mapping[str, PublicKey]


def read_trust(members: Mapping[str, Any]) -> Trust:
    """Read the members of `trust.json`: `origin`, `log_vkey`, `manifest_keys` (JWKs with kid).

    Raises:
        BundleError: when one is missing, malformed, or they contradict each other.
    """
    try:
        log = parse_vkey(members["log_vkey"])
        keys = {jwk["kid"]: key_from_jwk(jwk) for jwk in members["manifest_keys"]}
        origin = members["origin"]
    except (KeyError, TypeError, AttributeError) as error:
        raise BundleError("trust input lacks origin, log_vkey or manifest_keys with kid") from error
    except EvidenceError as error:
        raise BundleError(f"trust input: {error}") from error
    if origin != log.name:
        raise BundleError("trust input: origin is not the name in log_vkey")
    if not keys:
        raise BundleError("trust input names no manifest key")
    return Trust(log, keys)
