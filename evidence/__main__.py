"""`python -m evidence verify PATH [--trust FILE] [--later PATH] [--json]`: the auditor's check.

`python -m evidence witness init|serve|show` runs a witness; `python -m evidence open FILE` opens a
sealed bundle; `python -m evidence follow FOLDER` checks a published ledger.
"""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evidence.errors import CanonicalError
from evidence.progress import Progress
from evidence.strict_json import parse
from evidence.verify import Verdict, verify_bundle
from evidence.verify_files import silent
from evidence.verify_report import STATUS, Exit

_OTHERS = {
    "witness": "run a witness for a log",
    "open": "open a bundle that was sealed for you",
    "trail": "check the digests of a trail that a bundle holds",
    "signer": "sign a log's heads for a Stanch that has no log key",
    "follow": "check a published ledger against the last look at it",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    codes = ", ".join(f"{int(code)} {STATUS[code]}" for code in Exit)
    parser = argparse.ArgumentParser(prog="evidence", description="Check evidence offline.")
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="check a bundle", epilog=f"Exit codes: {codes}.")
    verify.add_argument("path", type=Path, help="the bundle's folder")
    verify.add_argument("--trust", type=Path, help="trust.json, received by another way")
    verify.add_argument(
        "--later", type=Path, help="a later bundle of the case, which must record this one"
    )
    verify.add_argument("--json", action="store_true", help="print the verdict as JSON")
    verify.add_argument(
        "--progress",
        action="store_true",
        help="tell on standard error how far hashing has come, also where that is no terminal",
    )
    asked = _asked(commands, (sys.argv[1:] if arguments is None else arguments)[:1])
    chosen = parser.parse_args(arguments)
    if chosen.command in asked:
        return int(asked[chosen.command].run(chosen))
    try:
        trust = _read_trust(chosen.trust)
    except (OSError, CanonicalError) as error:
        print(f"trust input {chosen.trust}: {error}", file=sys.stderr)
        return int(Exit.TRUST_MISSING)
    shown = chosen.progress or sys.stderr.isatty()
    progress = Progress(sys.stderr, time.monotonic) if shown else None
    verdict = verify_bundle(chosen.path, trust, chosen.later, progress or silent)
    if progress:
        progress.end()
    print(json.dumps(asdict(verdict), indent=2) if chosen.json else _told(verdict))
    return verdict.exit_code


def _asked(commands: Any, first: Sequence[str]) -> Mapping[str, Any]:
    """Return another command's module where it is asked for: who verifies loads none of them."""
    asked = {}
    for name, about in _OTHERS.items():
        if name in first:
            asked[name] = importlib.import_module(f"evidence.{name}_command")
            asked[name].add_parser(commands)
        else:
            commands.add_parser(name, help=about, add_help=False)
    return asked


def _read_trust(path: Path | None) -> Mapping[str, Any] | None:
    if path is None:
        return None
    members = parse(path.read_bytes())
    if not isinstance(members, dict):
        raise CanonicalError("is no JSON object")
    return members


def _told(verdict: Verdict) -> str:
    lines = [f"{'ok  ' if c.ok else 'FAIL'}  {c.name} ({c.count})" for c in verdict.checks]
    lines += [f"{p.file}: {p.what}" for p in verdict.problems]
    lines += [
        f"export of {e.entries} entries recorded at {e.recorded} as ledger entry {e.index}: "
        f"tag manifest {e.tagmanifest_sha256}"
        for e in verdict.exports
    ]
    lines += verdict.withheld
    if verdict.custody.statements:
        lines.append(ascii(str(verdict.custody))[1:-1])
    if verdict.recorded_at is not None:
        lines.append(f"the later bundle records this export as ledger entry {verdict.recorded_at}")
    if verdict.counted is not None:
        lines.append(
            f"ledger entry {verdict.counted.index}, recorded at {verdict.counted.recorded}, counts "
            f"{verdict.counted.entries} entries of the case among the first {verdict.counted.of}"
        )
    known = [times.not_after for times in verdict.times if times.not_after]
    # Of what is not proven to be in the ledger no time can be told.
    if known and verdict.exit_code in (Exit.VALID, Exit.UNWITNESSED):
        lines.append(
            f"{len(known)} of {len(verdict.times)} entries were recorded by {max(known)} at the "
            "latest, as timestamps prove; --json tells the window of each"
        )
    lines += verdict.revocation
    lines += [why for why in verdict.lacking if verdict.exit_code != Exit.TRUST_MISSING]
    return "\n".join([*lines, f"verdict: {verdict.status}"])


if __name__ == "__main__":
    sys.exit(main())
