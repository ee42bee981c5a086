"""Reads whose key is whose, of the people who sign about custody, from the trust input."""

from collections.abc import Mapping
from typing import Any

from evidence.errors import BundleError, EvidenceError
from evidence.jws_token import PublicKey, key_from_jwk


def read_people(members: Mapping[str, Any]) -> dict[str, PublicKey]:
    """Return the keys of `people` in trust.json (name -> JWK), by name; none without it.

    Raises:
        BundleError: when it is malformed, or two names have one key: then one could pass for two.
    """
    listed = members.get("people", {})
    if not isinstance(listed, dict):
        raise BundleError("trust input: people is no object of names and JWKs")
    found: dict[str, PublicKey] = {}
    for name, jwk in listed.items():
        try:
            found[name] = key_from_jwk(jwk)
        except (AttributeError, EvidenceError) as error:
            raise BundleError(f"trust input: the key of {ascii(name)[:80]}: {error}") from error
    if len({key.public_numbers() for key in found.values()}) != len(found):
        raise BundleError("trust input: two people have one key; each has a key of their own")
    return found
