"""Revoke certificates that Vault issued, by their serial numbers."""

from dataclasses import dataclass
from typing import ClassVar

from hvac import exceptions

from actions.action import Foreseen
from actions.errors import NothingToDoError, UnfitError
from actions.journal import State
from actions.one_way import OneWay, Result, Underway
from actions.vault.clients import Vault
from actions.vault.policy import may


@dataclass(frozen=True)
class RevokeCertificates(OneWay[Vault]):
    """Revoke the certificates of these serials, each as Vault writes it (17:67:16:...).

    The result is {"revoked": {serial: epoch seconds}}. It binds who checks the CRL or OCSP; see
    that the CRL has it (rotate_crl), and that nothing trusts the certificate without looking
    (Vault API docs, "PKI secrets engine", "Revoke certificate", "Read certificate").
    """

    vault: str
    mount: str
    serials: tuple[str, ...]

    part: ClassVar[int] = 50
    # A certificate is read by anybody.
    permissions: ClassVar = may("{pki}/revoke", "update")

    @property
    def target(self) -> str:
        more = f"+{len(self.serials) - 1}" if len(self.serials) > 1 else ""
        return f"{self.vault}/vault/{self.mount}/certs/{self.serials[0]}{more}"

    def facts(self, p: Vault) -> Result:
        return {"revoked": {s: self._revoked(p, s) for s in self.serials}}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        left = [s for s, at in before["revoked"].items() if not at]
        if not left:
            raise NothingToDoError("each of these certificates is revoked.")
        return Foreseen(
            blast=(f"{len(left)} certificates are refused by whoever checks the CRL or OCSP",),
            lost=("each of them; a revocation cannot be taken back",),
        )

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        for serial in [s for s in self.serials if not self._revoked(p, s)][: self.part]:
            p.client.secrets.pki.revoke_certificate(serial, mount_point=self.mount)

    def find(self, p: Vault, mark: str) -> Result | Underway:
        found = self.facts(p)
        left = [s for s, at in found["revoked"].items() if not at]
        return Underway(len(left)) if left else found

    def _revoked(self, p: Vault, serial: str) -> int:
        try:
            answer = p.client.secrets.pki.read_certificate(serial, mount_point=self.mount)
        except exceptions.InvalidPath as error:
            raise UnfitError(
                f"the PKI engine at {self.mount} keeps no certificate {serial}. Revoke it where it "
                "was issued, or by the certificate itself."
            ) from error
        return int(answer["data"].get("revocation_time") or 0)
