"""A deployment and a bundle with all that one can hold, witnessed and stamped: plainly valid."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence import bundle, ledger
from evidence.cosignature import cosign, cosigner_vkey, cosigning_key
from evidence.custody.statement import HOLD, RELEASE
from evidence.keys import public_jwk
from evidence.ledger_witness import add_cosignature
from evidence.note import checkpoint_text
from evidence.witness_client import Cosignature
from tests.evidence.agreed import verify_bundle
from tests.evidence.chamber import CASE, USER_DATA, Chamber, describe
from tests.evidence.custodians import PEOPLE, Desk
from tests.evidence.forgery import rebag, restate
from tests.evidence.reviewing import FACTS, LOG, review
from tests.evidence.stamping import Stamping, stamping

WITNESS = cosigning_key("w.example", Ed25519PrivateKey.from_private_bytes(bytes([5] * 32)))
KEY = cosigner_vkey(WITNESS.cosigner)
POLICY = f"witness w {KEY}\nquorum w\n"
AT = 1_790_000_000


@dataclass
class Whole:
    """Where it was made, the bundle, and what its auditor trusts."""

    site: Stamping
    bundle: Path
    trust: dict[str, Any]

    @property
    def chamber(self) -> Chamber:
        return self.site.chamber


def tell(chamber: Chamber) -> None:
    """Give the case an entry of every kind that the verifier judges, and some that it does not."""
    chamber.say("case.open", {"finding": "UnauthorizedAccess:EC2/TorClient"})
    chamber.say("case.open", {"finding": "other"}, "INC-2")
    plain = chamber.keep(describe(1))
    chamber.keep(USER_DATA)
    for item in (LOG, FACTS):
        chamber.keep(item)
        review(chamber, item.name)
    chamber.say("approval.answered", {"approver": "mallory", "proof": "a.b.c", "state": "yes"})
    with chamber.begin() as conn:
        desk = Desk(ledger.pseudonym(conn, CASE))
    for kind, signers, more in (
        (HOLD, ("alice",), {"hold": "H-1", "artifacts": None}),
        (RELEASE, ("bob", "carol"), {"hold": "H-1"}),
    ):
        chamber.say(kind, desk.body(kind, chamber.now, *signers, **more))
    chamber.say("access.read", {"artifact_id": plain["artifact_id"], "reason": "triage"})
    one = {name: plain[name] for name in ("artifact_id", "stored_sha256")} | {"found": "intact"}
    chamber.say("verify.result", {"checked": [one]})


def witness(chamber: Chamber) -> None:
    with chamber.begin() as conn:
        head = ledger.latest_checkpoint(conn).checkpoint
        line = cosign(checkpoint_text(head), WITNESS, AT)
        add_cosignature(conn, Cosignature(WITNESS.cosigner, head.size, line, AT))


def whole(folder: Path) -> Whole:
    site = stamping(folder, timedelta(), timedelta())
    chamber = site.chamber
    tell(chamber)
    chamber.integrate()
    site.stamp()
    chamber.say("verification", {"ok": True})
    close(site)
    return Whole(site, export(site, "bundle"), trust(site))


def close(site: Stamping) -> None:
    """Have the ledger counted, and the head over that count witnessed and stamped."""
    site.chamber.count()
    witness(site.chamber)
    site.stamp()


def export(site: Stamping, name: str) -> Path:
    chamber = site.chamber
    with chamber.begin() as conn:
        return bundle.export(
            conn,
            chamber.locker,
            CASE,
            chamber.signer,
            chamber.folder / name,
            [one.pinned for one in site.stampers],
            POLICY,
        ).path


def trust(site: Stamping) -> dict[str, Any]:
    people = {name: public_jwk(key) for name, key in PEOPLE.items()}
    return site.trust | {"people": people, "witnesses": [KEY], "policy": POLICY}


def told(made: Whole, bundle: Path, **more: object) -> tuple[int, str]:
    """Return what both verifiers say of a bundle, with what is wrong and what is lacking."""
    verdict = verify_bundle(bundle, made.trust | more)
    said = [f"{p.file}: {p.what}" for p in verdict.problems]
    return verdict.exit_code, "\n".join([*said, *verdict.lacking])


def seal(chamber: Chamber, bundle: Path) -> Path:
    """Seal a bundle anew, as whoever holds the manifest key can."""
    rebag(bundle)
    restate(bundle, chamber.signer)
    return bundle
