"""A manifest told as an in-toto Statement v1, for tools that know nothing of ours.

`subject` is the stored artifact by its path in the bundle and its SHA-256; the predicate, of type
`PREDICATE`, holds `manifest_sha256` (of the manifest's token) and `manifest` (its members).
Standard library only.
"""

from evidence import bag
from evidence.manifest import read_manifest, to_dict
from evidence.strict_json import canonical_form

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:stanch:custody-manifest:1"


def statement(manifest_sha256: str, payload: bytes) -> bytes:
    """Return the statement of the manifest `payload`, in canonical JSON.

    Raises:
        ManifestError: when it is no manifest.
    """
    manifest = read_manifest(payload)
    return canonical_form(
        {
            "_type": STATEMENT,
            "subject": [
                {
                    "name": f"{bag.ARTIFACTS}{manifest.stored_sha256}",
                    "digest": {"sha256": manifest.stored_sha256},
                }
            ],
            "predicateType": PREDICATE,
            "predicate": {"manifest_sha256": manifest_sha256, "manifest": to_dict(manifest)},
        }
    )
