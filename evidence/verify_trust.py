"""Reads what the auditor trusts: keys of the log and of manifests, witnesses, and authorities."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evidence.cosignature import ML_DSA_44, Cosigner, parse_cosigner
from evidence.errors import BundleError, EvidenceError
from evidence.jws_token import PublicKey, key_from_jwk
from evidence.key_history import LOG, UNBOUNDED, Bounded, Bounds, read_history
from evidence.note import NoteVerifier, parse_vkey
from evidence.policy import Policy, parse_policy
from evidence.timestamp import Authority, read_authorities
from evidence.verify_people import read_people


@dataclass(frozen=True, slots=True)
class Trust:
    """The log's verifier, manifest keys by kid, and which witnesses are needed, if any.

    Of the timestamp `authorities`, `timestamp_quorum` must have stamped what is to be timestamped.
    With a `second` key (ML-DSA-44) the log signs each head twice. `manifest_keys` has former keys,
    too; `bounds` says of a kid, and `logs` of a log key, how long it counts. `people` are those who
    may sign about custody, by name.
    """

    log: NoteVerifier
    manifest_keys: Mapping[str, PublicKey]
    policy: Policy | None = None
    authorities: tuple[Authority, ...] = ()
    timestamp_quorum: int = 0
    second: Cosigner | None = None
    logs: Mapping[NoteVerifier, Bounds] = field(default_factory=dict)
    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    people: Mapping[str, PublicKey] = field(default_factory=dict)


def read_trust(members: Mapping[str, Any]) -> Trust:
    """Read the members of `trust.json`: `origin`, `log_vkey`, `manifest_keys` (JWKs with kid).

    With witnesses, also `witnesses` (their vkeys) and `policy` (C2SP tlog-policy) that names them.
    With timestamp authorities, also `timestamp_authorities` (name, certificate and root in PEM,
    policy) and `timestamp_quorum`. With a second key of the log, also `log_second_vkey`. With keys
    that were changed, also `key_history` (see `key_history`). With people whose keys the auditor
    knows, also `people` (name -> JWK).

    Raises:
        BundleError: when one is missing, malformed, or they contradict each other.
    """
    try:
        log = parse_vkey(members["log_vkey"])
        keys = {_kid(jwk): key_from_jwk(jwk) for jwk in members["manifest_keys"]}
        origin = members["origin"]
    except (KeyError, TypeError, AttributeError) as error:
        raise BundleError("trust input lacks origin, log_vkey or manifest_keys with kid") from error
    except EvidenceError as error:
        raise BundleError(f"trust input: {error}") from error
    if origin != log.name:
        raise BundleError("trust input: origin is not the name in log_vkey")
    if not keys:
        raise BundleError("trust input names no manifest key")
    try:
        authorities, quorum = read_authorities(members)
    except EvidenceError as error:
        raise BundleError(f"trust input: {error}") from error
    logs, bounds = _history(read_history(members), log, keys)
    return Trust(
        log,
        keys,
        _policy(members, log),
        authorities,
        quorum,
        _second(members, log),
        logs,
        bounds,
        read_people(members),
    )


def _history(
    listed: list[Bounded], log: NoteVerifier, keys: dict[str, PublicKey]
) -> tuple[dict[NoteVerifier, Bounds], dict[str, Bounds]]:
    """Return the bounds of all keys, and add former manifest keys to `keys`."""
    logs: dict[NoteVerifier, Bounds] = {}
    bounds: dict[str, Bounds] = {}
    for one in listed:
        try:
            if one.role == LOG:
                verifier = parse_vkey(one.key)
                if verifier.name != log.name:
                    raise BundleError("a log key of another name than log_vkey")
                twice = logs.setdefault(verifier, one.bounds) is not one.bounds
            else:
                kid, key = _kid(one.key), key_from_jwk(one.key)
                if keys.setdefault(kid, key).public_numbers() != key.public_numbers():
                    raise BundleError(f"two keys of the kid {kid!r}")
                twice = bounds.setdefault(kid, one.bounds) is not one.bounds
        except (KeyError, TypeError, AttributeError) as error:
            raise BundleError("trust input: key_history: a key is malformed") from error
        except EvidenceError as error:
            raise BundleError(f"trust input: key_history: {error}") from error
        if twice:
            raise BundleError("trust input: key_history names one key twice")
    logs.setdefault(log, UNBOUNDED)
    return logs, bounds


def _kid(jwk: Mapping[str, Any]) -> str:
    if not isinstance(jwk["kid"], str):
        raise TypeError("kid is no text")
    return jwk["kid"]


def _second(members: Mapping[str, Any], log: NoteVerifier) -> Cosigner | None:
    """Return the log's second key, under the same name."""
    if "log_second_vkey" not in members:
        return None
    try:
        second = parse_cosigner(members["log_second_vkey"])
    except (TypeError, AttributeError, EvidenceError) as error:
        raise BundleError(f"trust input: log_second_vkey: {error}") from error
    if second.name != log.name or second.kind != ML_DSA_44:
        raise BundleError("trust input: log_second_vkey is no ML-DSA-44 key of log_vkey's name")
    return second


def _policy(members: Mapping[str, Any], log: NoteVerifier) -> Policy | None:
    """Return the policy, which must name exactly the witnesses that stand beside it."""
    if "policy" not in members and "witnesses" not in members:
        return None
    try:
        policy = parse_policy(members["policy"])
        witnesses = [parse_cosigner(text) for text in members["witnesses"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise BundleError("trust input: witnesses (vkeys) and policy (text) go together") from error
    except EvidenceError as error:
        raise BundleError(f"trust input: {error}") from error
    if set(witnesses) != set(policy.witnesses.values()):
        raise BundleError("trust input: the policy does not name exactly the witnesses beside it")
    if policy.logs and log not in policy.logs:
        raise BundleError("trust input: the policy is for another log than log_vkey")
    return policy
