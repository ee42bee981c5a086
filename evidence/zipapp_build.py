"""Builds the verifier as one file that an auditor can run: `stanch-verify.pyz`.

    python -m evidence.zipapp_build OUT

The same sources give the same bytes, so its hash can be published and rebuilt by others.
"""

import hashlib
import sys
import zipfile
from pathlib import Path

# What `python -m evidence verify` imports of this room: standard library and cryptography only.
MODULES = (
    "__init__",
    "__main__",
    "bag",
    "case_facts",
    "case_graph",
    "case_page",
    "case_page_custody",
    "cosignature",
    "custody.__init__",
    "custody.follow",
    "custody.state",
    "custody.statement",
    "der",
    "dsse",
    "errors",
    "heads",
    "jws_offline",
    "jws_token",
    "key_history",
    "leaf",
    "manifest",
    "manifest_values",
    "merkle",
    "note",
    "page_html",
    "personal",
    "policy",
    "progress",
    "redaction.__init__",
    "redaction.map",
    "redaction.pointers",
    "redaction.ranges",
    "signatures",
    "statement",
    "strict_json",
    "time_window",
    "timeline",
    "timestamp",
    "timestamp_check",
    "timestamp_revocation",
    "timestamp_token",
    "tlog_proof",
    "verify",
    "verify_artifacts",
    "verify_custody",
    "verify_dsse",
    "verify_entries",
    "verify_exports",
    "verify_files",
    "verify_heads",
    "verify_head",
    "verify_keys",
    "verify_people",
    "verify_proofs",
    "verify_renewal",
    "verify_redaction",
    "verify_report",
    "verify_retold",
    "verify_time",
    "verify_trust",
    "verify_values",
    "verify_witnesses",
    "withheld",
)

# And what `python -m evidence witness` adds: who checks bundles may well run a witness, too.
WITNESS = (
    "key_files",
    "witness",
    "witness_command",
    "witness_folder",
    "witness_server",
    "witness_state",
)

# And what `python -m evidence open` adds, besides `key_files`.
OPEN = ("bundle_tar", "chunked", "enclosure", "open_command", "recipients")

# And what `python -m evidence trail` adds, besides `chunked`.
TRAIL = (
    "ingest",
    "sources.__init__",
    "sources.inflated",
    "sources.item",
    "sources.trail_digest",
    "sources.trail_place",
    "sources.trail_recheck",
    "trail_command",
)

_SHEBANG = b"#!/usr/bin/env python3\n"
_START = b"import sys\n\nfrom evidence.__main__ import main\n\nsys.exit(main())\n"


def build(out: Path) -> str:
    """Write the verifier to the file `out` and return its SHA-256 in hex."""
    room = Path(__file__).parent
    with out.open("wb") as file:
        file.write(_SHEBANG)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(_member("__main__.py"), _START)
            for module in (*MODULES, *WITNESS, *OPEN, *TRAIL):
                path = f"{module.replace('.', '/')}.py"
                archive.writestr(_member(f"evidence/{path}"), (room / path).read_bytes())
    out.chmod(0o755)
    return hashlib.sha256(out.read_bytes()).hexdigest()


def _member(name: str) -> zipfile.ZipInfo:
    # The oldest date a zip can hold: the same for everyone.
    member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    member.create_system = 3
    member.external_attr = 0o644 << 16
    return member


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "stanch-verify.pyz")
    print(f"{build(target)}  {target}")
