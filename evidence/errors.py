"""What can go wrong while evidence is kept or checked.

EvidenceError
├── CanonicalError          a value or its bytes have no canonical JSON form
├── ProofError              a Merkle proof does not lead to the stated root
├── NoteError               a signed note or checkpoint is malformed or not signed by the log
├── PolicyError             a policy of witnesses is not as C2SP tlog-policy has it
├── WitnessError            a witness cannot be asked, or may not be started
├── TokenError              a JWS or JWK is malformed, of another kind, or not signed by its key
├── KeyMaterialError        key material is missing, readable by others, or of the wrong kind
├── KeyStatementError       what was said of a key is malformed, not signed, or does not follow
├── KeyServiceError         a key that lives elsewhere cannot be used: away, denied, another answer
├── LedgerError             the ledger was asked for something it cannot give
│   ├── LedgerCorruptError  stored leaves, nodes and checkpoints contradict each other
│   └── ForkError           the tree is smaller than, or forked from, what was signed before
│       └── BehindError     the tree is smaller; another look may find that it has grown since
├── LockerError             an artifact could not be stored or is not what its name says
│   └── StoreRefusedError   the store of artifacts answered with an error, or not at all
├── CustodyError            what custody was asked for does not follow from its entries
├── RedactionError          a map, or a copy made by one, is not what it should be
├── ManifestError           a manifest lacks a field or contradicts itself
├── SourceError             a source was given a target it cannot read
├── WireError               what a signer was asked or answered is malformed, or came too late
├── TilesError              published tiles are missing, altered, or cannot be written
│   └── MissingTileError    a tile that the published checkpoint needs is not there
├── TimestampError          a timestamp was refused, is malformed, or not from its authority
└── BundleError             a bundle cannot be written or is not shaped like one
"""


class EvidenceError(Exception):
    """Base of every error this room raises."""


class CanonicalError(EvidenceError):
    """A value or its bytes have no canonical JSON form."""


class ProofError(EvidenceError):
    """A Merkle proof does not lead to the stated root."""


class NoteError(EvidenceError):
    """A signed note or checkpoint is malformed or not signed by the log."""


class PolicyError(EvidenceError):
    """A policy of witnesses is not as C2SP tlog-policy has it."""


class WitnessError(EvidenceError):
    """A witness cannot be asked, or may not be started."""


class TokenError(EvidenceError):
    """A JWS or JWK is malformed, of another kind, or not signed by its key."""


class KeyMaterialError(EvidenceError):
    """Key material is missing, readable by others, or of the wrong kind."""


class KeyServiceError(EvidenceError):
    """A key that lives elsewhere cannot be used: away, denied, or it gave another answer."""


class KeyStatementError(EvidenceError):
    """What was said of a key is malformed, not signed by whom it must be, or does not follow."""


class LedgerError(EvidenceError):
    """The ledger was asked for something it cannot give."""


class LedgerCorruptError(LedgerError):
    """Stored leaves, nodes and checkpoints contradict each other."""


class ForkError(LedgerError):
    """The tree is smaller than, or forked from, what was signed before."""


class BehindError(ForkError):
    """The tree is smaller than the `size` that was signed; it may have grown since it was read."""

    def __init__(self, said: str, size: int) -> None:
        super().__init__(said)
        self.size = size


class LockerError(EvidenceError):
    """An artifact could not be stored or is not what its name says."""


class StoreRefusedError(LockerError):
    """The store of artifacts answered with an error, named by its `code`, or not at all."""

    def __init__(self, said: str, code: str) -> None:
        super().__init__(said)
        self.code = code


class CustodyError(EvidenceError):
    """What custody was asked for does not follow from its entries, or is not signed for."""


class RedactionError(EvidenceError):
    """A redaction map, or a copy made by one, is not what it should be."""


class ManifestError(EvidenceError):
    """A manifest lacks a field or contradicts itself."""


class SourceError(EvidenceError):
    """A source was given a target it cannot read."""


class BundleError(EvidenceError):
    """A bundle cannot be written or is not shaped like one."""


class WireError(EvidenceError):
    """What a signer was asked or answered is malformed, or came too late."""


class TilesError(EvidenceError):
    """Published tiles are missing, altered, or cannot be written."""


class MissingTileError(TilesError):
    """A tile that the published checkpoint needs is not there."""


class TimestampError(EvidenceError):
    """A timestamp was refused, is malformed, or not from its authority."""
