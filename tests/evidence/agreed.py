"""Our verifier's verdict, to which the second one agrees, for tests of what both are to judge."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evidence import verify
from evidence.verify_report import Exit, Verdict
from tests.evidence.second import check as second


def verify_bundle(
    path: Path, trust: Mapping[str, Any] | None, later: Path | None = None
) -> Verdict:
    """Return what ours says; the second one judges no timestamps and no later bundle."""
    verdict = verify.verify_bundle(path, trust, later)
    if later is None and "timestamp_authorities" not in (trust or {}):
        code = second.verify(path, trust).code
        expected = Exit.UNWITNESSED if verdict.exit_code == Exit.VALID else verdict.exit_code
        assert code == expected, f"the second verifier says {code}: {verdict.problems}"
    return verdict
