"""Signatures of transit keys, and what takes a key out (API: Transit secrets engine)."""

from __future__ import annotations

import base64
from typing import ClassVar

from playbooks.drills.range.vault.errors import RefusedError, absent, invalid
from playbooks.drills.range.vault.routes import route
from playbooks.drills.range.vault.transit_keys import Key, TransitKeys, decoded
from playbooks.drills.range.vault.transit_kinds import AES, Marshaling, sign, verified
from playbooks.drills.range.vault.wire import Asked, Reply

HASH = "sha2-256"
EXPORTS = {"encryption-key": True, "signing-key": False}


class TransitSigning(TransitKeys):
    """sign/, verify/, export/, backup/. Hashes other than SHA-256 are not simulated."""

    kind: ClassVar[str] = "transit"

    @route("POST", "sign/{name}")
    def sign(self, asked: Asked) -> Reply:
        key, message, marshaling = self._signing(asked, "signing key not found")
        number = asked.number("key_version") or key.latest
        if number < max(key.min_encryption, key.min_decryption):
            raise invalid(
                "requested version for signing is less than the minimum encryption key version"
            )
        if number not in key.versions:
            raise invalid("requested version for signing is higher than the latest key version")
        text = sign(key.type, key.versions[number].secret, message, marshaling)
        return Reply({"signature": f"vault:v{number}:{text}", "key_version": number})

    @route("POST", "sign/{name}/{hash_algorithm}")
    def sign_by_path(self, asked: Asked) -> Reply:
        return self.sign(asked)

    @route("POST", "verify/{name}")
    def verify(self, asked: Asked) -> Reply:
        key, message, marshaling = self._signing(asked, "signature verification key not found")
        prefix, _, rest = asked.needed("signature").partition(":")
        version, _, text = rest.partition(":")
        if prefix != "vault" or not version[:1] == "v" or not version[1:].isdigit():
            raise invalid("invalid signature: no prefix")
        number = int(version[1:])
        if number > key.latest:
            raise invalid("invalid signature: version is too new")
        if number < key.min_decryption or number not in key.versions:
            raise invalid("ciphertext or signature version is disallowed by policy (too old)")
        secret = key.versions[number].secret
        return Reply({"valid": verified(key.type, secret, message, text, marshaling)})

    @route("POST", "verify/{name}/{hash_algorithm}")
    def verify_by_path(self, asked: Asked) -> Reply:
        return self.verify(asked)

    def _signing(self, asked: Asked, otherwise: str) -> tuple[Key, bytes, Marshaling]:
        key = self.key(asked, otherwise)
        if key.type == AES:
            raise invalid(f"key type {key.type} does not support signing")
        named = asked.named.get("hash_algorithm") or asked.text("hash_algorithm") or HASH
        if named != HASH or asked.flag("prehashed") or asked.given("batch_input"):
            raise invalid(f"only {HASH} of one whole message is simulated here")
        how = asked.text("marshaling_algorithm") or "asn1"
        if how not in ("asn1", "jws"):
            raise invalid(f"invalid marshaling_algorithm {how!r}")
        return key, decoded(asked.needed("input")), Marshaling(how == "jws")

    @route("GET", "export/{kind}/{name}")
    def export(self, asked: Asked) -> Reply:
        found = self.keys.get(asked.named["name"])
        if found is None:
            raise absent()
        kind = asked.named["kind"]
        if kind not in EXPORTS or EXPORTS[kind] != (found.type == AES):
            raise invalid(f"invalid export type: {kind}")
        if not found.exportable:
            raise invalid("private key material is not exportable")
        versions = {str(n): base64.b64encode(v.secret).decode() for n, v in found.versions.items()}
        return Reply({"name": found.name, "type": found.type, "keys": versions})

    @route("GET", "backup/{name}")
    def backup(self, asked: Asked) -> Reply:
        key = self.key(asked)
        if not (key.exportable and key.plaintext_backup):
            raise RefusedError(500, "exporting or plaintext backup is disallowed on the policy")
        secrets = b"".join(v.secret for v in key.versions.values())
        return Reply({"backup": base64.b64encode(secrets).decode()})
