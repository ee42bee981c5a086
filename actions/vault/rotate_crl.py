"""Have a PKI engine sign a new CRL now, with all that is revoked in it."""

from dataclasses import dataclass
from typing import ClassVar

from cryptography import x509
from hvac import exceptions

from actions.action import Foreseen
from actions.errors import NothingToDoError, TargetGoneError, UnfitError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.vault.clients import Vault
from actions.vault.policy import may


@dataclass(frozen=True)
class RotateCrl(OneWay[Vault]):
    """Rotate away from the CRL of this number (RFC 5280, 5.2.3), as it was served.

    The result is {"crl_number", "revoked": how many it lists}, read from the CRL that is served
    then. Whoever has the old one in a cache goes by it until its next update (Vault API docs,
    "PKI secrets engine", "Rotate CRLs", "Read issuer CRL"; the CRL is read without a token).
    """

    vault: str
    mount: str
    number: int

    destroys: ClassVar[bool] = False
    # Vault rotates at a GET; the CRL itself is read by anybody.
    permissions: ClassVar = may("{pki}/crl/rotate", "read")

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/{self.mount}/crl"

    def facts(self, p: Vault) -> Result:
        try:
            text = p.client.secrets.pki.read_crl(mount_point=self.mount)
        except exceptions.InvalidPath as error:
            raise TargetGoneError(f"there is no PKI engine at {self.mount}.") from error
        try:
            crl = x509.load_pem_x509_crl(text.encode())
            number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        except (ValueError, x509.ExtensionNotFound) as error:
            raise UnfitError(
                f"the CRL of {self.mount} cannot be told from the one before: it is none, or has "
                "no number. Rotate it by hand and look at it."
            ) from error
        return {"crl_number": number, "revoked": len(crl)}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        if before["crl_number"] > self.number:
            raise NothingToDoError(f"the CRL of {self.mount} is number {before['crl_number']}.")
        return Foreseen(("who checks the CRL sees all that is revoked, once it fetches it anew",))

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        p.client.secrets.pki.rotate_crl(mount_point=self.mount)

    def find(self, p: Vault, mark: str) -> Result | None:
        found = self.facts(p)
        return found if found["crl_number"] > self.number else None
