"""Making a root token from key shares (API: /sys/generate-root)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from playbooks.drills.range.vault.errors import invalid
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.seal import THRESHOLD, Given, hidden
from playbooks.drills.range.vault.wire import Reply

if TYPE_CHECKING:
    from playbooks.drills.range.vault.wire import Asked

TOKEN_LENGTH = 28


class SysRoot(Engine):
    """sys/generate-root. No token is needed: the shares are what proves the right."""

    kind: ClassVar[str] = "system"
    audited: ClassVar[bool] = False

    @route("GET", "generate-root/attempt", free=True)
    def read(self, asked: Asked) -> Reply:
        return self._status()

    @route("POST", "generate-root/attempt", free=True)
    def start(self, asked: Asked) -> Reply:
        seal = self.core.seal
        if seal.rooting is not None:
            raise invalid("root generation already in progress")
        if asked.text("pgp_key"):
            raise invalid("PGP keys are not simulated here; ask for a one-time password")
        seal.rooting = Given(self.core.uuid())
        seal.otp = self.core.name(TOKEN_LENGTH)
        return self._status(otp=seal.otp)

    @route("DELETE", "generate-root/attempt", free=True)
    def cancel(self, asked: Asked) -> Reply:
        self.core.seal.rooting, self.core.seal.otp = None, ""
        return Reply()

    @route("POST", "generate-root/update", free=True)
    def give(self, asked: Asked) -> Reply:
        seal = self.core.seal
        if seal.rooting is None:
            raise invalid("no root generation in progress")
        if asked.text("nonce") != seal.rooting.nonce:
            raise invalid("incorrect nonce supplied")
        if asked.text("key") not in seal.shares:
            raise invalid("'key' must be a valid hex or base64 string of an unseal key")
        seal.rooting.shares.add(asked.text("key"))
        if len(seal.rooting.shares) < THRESHOLD:
            return self._status()
        token = self.core.issue("auth/token/root", ["root"], display_name="root")
        done = self._status(complete=True, encoded_token=hidden(token.id, seal.otp))
        seal.rooting, seal.otp = None, ""
        return done

    def _status(self, **more: Any) -> Reply:
        rooting = self.core.seal.rooting
        data = {
            "started": rooting is not None,
            "nonce": rooting.nonce if rooting else "",
            "progress": len(rooting.shares) if rooting else 0,
            "required": THRESHOLD,
            "encoded_token": "",
            "pgp_fingerprint": "",
            "otp": "",
            "otp_length": TOKEN_LENGTH,
            "complete": False,
        }
        return Reply({**data, **more}, bare=True)
