"""Has another key follow one of the deployment's, or two people revoke one, and records it.

A rotation can break off anywhere: begun again it goes on where it stands. The next key is made
before it is recorded, and takes its place after both keys have signed for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from evidence import key_ledger, key_signing, key_succession, keys, ledger
from evidence.errors import KeyStatementError
from evidence.key_history import LOG, MANIFEST, WRAP, Bounded
from evidence.key_proof import Outside, Seen, must_be_seen
from evidence.key_statement import REVOKE, ROTATE, read_revocation
from evidence.note import NoteSigner, checkpoint_text, parse_vkey, signature_line, vkey
from evidence.policy import parse_policy
from evidence.signing.place import NO_CLIENTS, Clients, Use
from playbooks.case.record import DEPLOYMENT, Record
from playbooks.case.sealing import anchor, checkpoint
from playbooks.case.store import Store
from playbooks.case.witnessing import witness
from playbooks.wiring import key_places, people, timestamp_terms
from playbooks.wiring.key_places import Pinned
from playbooks.wiring.keyring import Keyring
from playbooks.wiring.parts import Parts
from playbooks.wiring.settings import Settings
from playbooks.wiring.trusting import policy_of, trust


@dataclass(frozen=True, slots=True)
class Following:
    """The key that is to follow, and what reaches it where it lives in a service."""

    key: Pinned
    clients: Clients = NO_CLIENTS

    def log(self, origin: str) -> NoteSigner:
        """Return it as a log key."""
        return keys.load_log(self.key.uri, origin, self.clients, self.key.public)

    def manifest(self) -> keys.ManifestKey:
        """Return it as a manifest key."""
        return keys.load_manifest(self.key.uri, self.clients, self.key.public)

    def wrap(self) -> keys.Wrapper:
        """Return it as a wrapping key."""
        return keys.load_wrap(self.key.uri, self.clients)


def rotate(
    db: Store, parts: Parts, role: Use, reason: str, *, destroy: bool, to: Following | None = None
) -> str:
    """Have a new key of this role follow the one in use; return the new one's public name.

    To be called where nobody uses the keys. With `destroy` the old private key is overwritten.
    The new one is made here, or is the one `to` which a service has.
    Raises KeyMaterialError where the key lies elsewhere, KeyStatementError where it cannot follow.
    """
    folder = parts.settings.home / "keys"
    if role == LOG:
        # Before a key is made that nobody could sign for.
        _ = parts.keys.log.signer
    following = to or Following(Pinned(key_succession.next_key(folder, role)))
    if role == WRAP and following.wrap().reference == parts.keys.wrap.reference:
        # Another version of the same key, which opens what it wrapped before.
        key_places.succeed(folder, role, following.key, "", destroy=False)
        return following.wrap().reference
    body, key_id = _body(parts, role, following, reason)
    said = body["statement"]
    before = db.read(lambda conn: _recorded(conn, said))
    if before is None:
        record = Record("stanch", parts.now, parts.random)
        db.commit(lambda conn: record.note(conn, DEPLOYMENT, ROTATE, body))
    if role != LOG:
        checkpoint(db, parts)
    elif before is None or not db.read(lambda conn: _signed_by_both(conn, said, before)):
        _sign_both(db, parts, following)
    if parts.settings.witnesses:
        # As it is kept: a witness that does not know the new log key yet takes the old one's line.
        witness(db, parts.settings, db.read(ledger.latest_checkpoint))
    if to is not None:
        key_places.succeed(folder, role, to.key, key_id, destroy=destroy)
    else:
        key_succession.succeed(folder, role, key_id, destroy=destroy)
    return _told(role, said["new"])


def history(db: Store, settings: Settings, ring: Keyring) -> list[Bounded]:
    """Return how long each key counts, as the ledger has it. Raises KeyStatementError."""
    last = ring.log.last()
    now = {LOG: vkey(ring.log.verifier), MANIFEST: key_signing.jwk_of(ring.manifest)}
    known = people.known(settings)

    def read(conn: Connection) -> list[Bounded]:
        if ledger.head_at(conn, last.origin, last.size) != last:
            raise KeyStatementError(
                "the ledger is not what was signed last, so nothing is read from it. See `stanch "
                "doctor` and docs/operations/witness.md"
            )
        return key_ledger.key_history(conn, DEPLOYMENT, last, now, known)

    return db.read(read) if last.size else []


def seen_at(db: Store, settings: Settings, ring: Keyring, size: int) -> Seen:
    """Return by whom and when the head of that size was seen. Raises KeyStatementError if nobody's.

    What counts is the policy of witnesses, and the quorum of authorities, in the settings.
    """
    text = policy_of(settings, ring)
    policy = parse_policy(text) if text else None
    pinned = [one.pinned for one in timestamp_terms.authorities(settings)]
    quorum = int(trust(settings, ring).get("timestamp_quorum", 0))
    by = Outside(policy, pinned, quorum)
    return db.read(lambda conn: must_be_seen(conn, size, by))


def revocable(found: list[Bounded], named: str) -> Bounded:
    """Return the former key that is so named. Raises KeyStatementError for none, or one in use."""
    for one in found:
        if named == name_of(one):
            if one.bounds.until is None:
                raise KeyStatementError(
                    f"{named} is the {one.role} key in use. First have another follow it, so that "
                    f"it signs nothing more: stanch key rotate {one.role}"
                )
            return one
    raise KeyStatementError(f"no former key is called {named!r}; see `stanch key show`")


def revoke(db: Store, parts: Parts, body: Mapping[str, Any], person: str) -> None:
    """Record a revocation that two people signed. Raises KeyStatementError where it is wrong."""
    said = read_revocation(body).statement
    known = people.known(parts.settings)
    key_ledger.refuse_strangers(body, known)
    one = next(
        (
            one
            for one in history(db, parts.settings, parts.keys)
            if (one.role, one.key) == (said["role"], said["key"])
        ),
        None,
    )
    if one is None:
        raise KeyStatementError("the key is none that another one followed; see `stanch key show`")
    revocable([one], name_of(one))
    seen = seen_at(db, parts.settings, parts.keys, said["last_good"])
    if said["root"] != seen.root.hex():
        raise KeyStatementError(
            f"the head of {seen.size} entries has another root than the statement says; make a new"
        )
    record = Record(person, parts.now, parts.random)
    db.commit(lambda conn: record.note(conn, DEPLOYMENT, REVOKE, body))
    anchor(db, parts)


def name_of(one: Bounded) -> str:
    """Return what a key is called at the terminal: its role, then a log key's id or a kid."""
    # With the role before it, for a kid may begin with a hyphen, as an option does.
    which = parse_vkey(one.key).key_id.hex() if one.role == LOG else one.key["kid"]
    return f"{one.role}:{which}"


def _told(role: str, key: Any) -> str:
    return str(key["kid"]) if role == MANIFEST else str(key)


def _body(parts: Parts, role: str, following: Following, reason: str) -> tuple[dict[str, Any], str]:
    """Return the entry's body, and the id of the key in use for the name of its file."""
    at, ring = parts.now(), parts.keys
    if role == LOG:
        new = following.log(ring.log.verifier.name)
        body = key_signing.rotate_log(ring.log.signer, new, at, reason)
        return body, ring.log.verifier.key_id.hex()
    if role == MANIFEST:
        manifest = following.manifest()
        return key_signing.rotate_manifest(ring.manifest, manifest, at, reason), ring.manifest.kid
    old, wrap = ring.wrap.reference, following.wrap()
    body = key_signing.rotate_wrap(old, wrap.reference, ring.manifest, at, reason)
    return body, old.rpartition(":")[2]


def _recorded(conn: Connection, said: Mapping[str, Any]) -> ledger.Recorded | None:
    """Return the entry of this very rotation, from a try before, or None."""
    wanted = [said[name] for name in ("role", "old", "new")]
    for entry in ledger.entries(conn, DEPLOYMENT):
        if entry.leaf.kind == ROTATE and entry.opening is not None:
            before = entry.body["statement"]
            if [before[name] for name in ("role", "old", "new")] == wanted:
                return entry
    return None


def _signed_by_both(conn: Connection, said: Mapping[str, Any], entry: ledger.Recorded) -> bool:
    if entry.index is None:
        return False
    old, new = parse_vkey(said["old"]), parse_vkey(said["new"])
    return key_ledger.overlap(conn, old, new, entry.index) is not None


def _sign_both(db: Store, parts: Parts, following: Following) -> None:
    """Have one head above the entry signed by both."""
    origin = parts.keys.log.verifier.name
    new = following.log(origin)
    signed = checkpoint(db, parts)
    if signed is None:
        raise KeyStatementError("the ledger is empty, though the rotation was just recorded in it")
    text = checkpoint_text(signed.checkpoint)
    line = signature_line(origin, new.verifier.key_id + new.sign(text.encode()))
    size = signed.checkpoint.size
    db.commit(lambda conn: key_ledger.countersign(conn, size, line))


ROLES: tuple[Use, ...] = ("log", "manifest", "wrap")
