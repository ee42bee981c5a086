"""The trust input: the only thing that is believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from tests.evidence.second.findings import WrongError, need
from tests.evidence.second.keys import ALWAYS, Bounds, read_history
from tests.evidence.second.policy import Policy, parse_policy
from tests.evidence.second.texts import base64url_bytes
from tests.evidence.second.vkeys import COSIGNATURE, ML_DSA_44, NOTE, Vkey, parse_vkey


@dataclass(frozen=True)
class Trust:
    origin: str
    log: Vkey
    second: Vkey | None
    manifest_keys: Mapping[str, ec.EllipticCurvePublicKey]
    policy: Policy | None
    people: Mapping[str, ec.EllipticCurvePublicKey]
    logs: Mapping[Vkey, Bounds]
    bounds: Mapping[str, Bounds]

    def counting(self, size: int) -> list[Vkey]:
        """Return the log keys that sign heads of this size."""
        return [one for one, bounds in self.logs.items() if bounds.counts_for_head(size)]


def parse_jwk(jwk: Any) -> tuple[str, ec.EllipticCurvePublicKey]:
    key = parse_jwk_point(jwk)
    kid = jwk.get("kid")
    if not isinstance(kid, str):
        raise WrongError("a manifest key has no kid")
    return kid, key


def parse_people(listed: Any) -> dict[str, ec.EllipticCurvePublicKey]:
    need(isinstance(listed, dict), "people is no object")
    people = {name: parse_jwk_point(jwk) for name, jwk in listed.items()}
    need(len({one.public_numbers() for one in people.values()}) == len(people), "two have one key")
    return people


def parse_jwk_point(jwk: Any) -> ec.EllipticCurvePublicKey:
    need(isinstance(jwk, dict), "a key is no JWK")
    need((jwk.get("kty"), jwk.get("crv")) == ("EC", "P-256"), "a key is not of P-256")
    need(jwk.get("alg", "ES256") == "ES256", "a key is for another algorithm")
    need(jwk.get("use", "sig") == "sig", "a key is not for signatures")
    need("verify" in jwk.get("key_ops", ["verify"]), "a key may not verify")
    need("d" not in jwk, "a key is private")
    x, y = jwk.get("x"), jwk.get("y")
    need(isinstance(x, str) and isinstance(y, str), "a key lacks x or y")
    raw = base64url_bytes(x), base64url_bytes(y)
    need([len(one) for one in raw] == [32, 32], "a key's point is malformed")
    point = b"\x04" + raw[0] + raw[1]
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


def parse_trust(given: Mapping[str, Any] | None) -> Trust:
    """Return the trust input, or raise `WrongError`: it is missing or malformed."""
    if given is None:
        raise WrongError("no trust input")
    origin, keys = given.get("origin"), given.get("manifest_keys")
    log = parse_vkey(given.get("log_vkey"), (NOTE,))
    if not isinstance(origin, str) or log.name != origin:
        raise WrongError("log_vkey is not of the log that origin names")
    second = None
    if "log_second_vkey" in given:
        second = parse_vkey(given["log_second_vkey"], (ML_DSA_44,))
        need(second.name == origin, "log_second_vkey is not of the log that origin names")
    if not isinstance(keys, list) or not keys:
        raise WrongError("manifest_keys is no list of keys")
    policy = None
    if "witnesses" in given or "policy" in given:
        witnesses, text = given.get("witnesses"), given.get("policy")
        if not isinstance(witnesses, list) or not isinstance(text, str):
            raise WrongError("witnesses and policy go together")
        policy = parse_policy(text)
        named = [parse_vkey(one, (COSIGNATURE, ML_DSA_44)) for one in witnesses]
        need(set(named) == set(policy.witnesses.values()), "the policy names other witnesses")
    people = parse_people(given.get("people", {}))
    manifest_keys = dict(map(parse_jwk, keys))
    logs: dict[Vkey, Bounds] = {}
    bounds: dict[str, Bounds] = {}
    for role, key, own in read_history(given.get("key_history", [])):
        if role == "log":
            vkey = parse_vkey(key, (NOTE,))
            need(vkey.name == origin and vkey not in logs, "a log key is another's, or named twice")
            logs[vkey] = own
        else:
            kid, made = parse_jwk(key)
            same = manifest_keys.setdefault(kid, made).public_numbers() == made.public_numbers()
            need(same and kid not in bounds, "two keys have one kid, or one is named twice")
            bounds[kid] = own
    logs.setdefault(log, ALWAYS)
    return Trust(origin, log, second, manifest_keys, policy, people, logs, bounds)
