"""A manifest told as an in-toto Statement v1, for tools that know nothing of ours.

`subject` is the stored artifact by its path in the bundle and its SHA-256; the predicate, of type
`PREDICATE`, holds `manifest_sha256` (of the manifest's token) and `manifest` (its members).
Standard library only.
"""

from evidence import bag
from evidence.manifest import read_manifest

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:stanch:custody-manifest:1"


def statement(manifest_sha256: str, payload: bytes) -> bytes:
    """Return the statement of the manifest `payload`, in canonical JSON.

    Raises:
        ManifestError: when it is no manifest.
    """
    return statement_of(manifest_sha256, payload, read_manifest(payload).stored_sha256)


def statement_of(manifest_sha256: str, payload: bytes, stored_sha256: str) -> bytes:
    """Return the statement of a manifest that was read before, whose artifact has that SHA-256.

    A manifest is canonical JSON itself, and no other member needs escaping, so it is put in as it
    stands.
    """
    before = (
        f'{{"_type":"{STATEMENT}","predicate":{{"manifest":',
        f',"manifest_sha256":"{manifest_sha256}"}},"predicateType":"{PREDICATE}",'
        f'"subject":[{{"digest":{{"sha256":"{stored_sha256}"}},'
        f'"name":"{bag.ARTIFACTS}{stored_sha256}"}}]}}',
    )
    return before[0].encode() + payload + before[1].encode()
