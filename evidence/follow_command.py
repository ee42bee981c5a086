"""`python -m evidence follow FOLDER --trust FILE --last FILE`: checks a published ledger again.

The exit codes are the verifier's: 0 valid, 1 invalid (forked, rolled back, altered), 2 something is
missing, 3 valid but no quorum of witnesses cosigned it, 4 no trust input.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from evidence.errors import EvidenceError, ForkError, MissingTileError
from evidence.key_files import replace_closed
from evidence.note import MAX_NOTE
from evidence.strict_json import parse
from evidence.tiles_follow import Followed, follow, read_note
from evidence.verify_report import Exit
from evidence.verify_trust import Trust, read_trust


def add_parser(commands: Any) -> None:
    """Add the command to the subparsers of a command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "follow",
        help="check a published ledger against the last look at it",
        epilog="Exit codes: 0 valid, 1 invalid, 2 something is missing, 3 unwitnessed, 4 no trust.",
    )
    parser.add_argument("folder", type=Path, help="a copy of what the log publishes")
    parser.add_argument("--trust", type=Path, required=True, help="trust.json, by another way")
    parser.add_argument(
        "--last",
        type=Path,
        required=True,
        help="where the checkpoint that was accepted last is kept; made by the first look",
    )


def run(chosen: argparse.Namespace) -> int:
    """Check it, and keep the checkpoint where it is good; return the exit code."""
    try:
        trust = _trust(chosen.trust)
    except (OSError, EvidenceError) as error:
        print(f"trust input {chosen.trust}: {error}", file=sys.stderr)
        return int(Exit.TRUST_MISSING)
    try:
        last = _last(chosen.last)
        found = follow(chosen.folder, trust, last)
        replace_closed(chosen.last, found.note.encode())
    except ForkError as error:
        beside = chosen.last.with_name(f"{chosen.last.name}.fork")
        replace_closed(beside, read_note(chosen.folder).encode())
        print(f"{chosen.folder}: {error}\nkeep {chosen.last} and {beside}: they prove it")
        return _told(Exit.INVALID, "invalid")
    except MissingTileError as error:
        print(f"{chosen.folder}: {error}")
        return _told(Exit.INCOMPLETE, "incomplete")
    except (OSError, UnicodeDecodeError, EvidenceError) as error:
        print(f"{chosen.folder}: {error}")
        return _told(Exit.INVALID, "invalid")
    return _good(found, last)


def _good(found: Followed, last: str | None) -> int:
    print(f"{found.head.size} entries, root {found.head.root.hex()}")
    print("the first look" if last is None else "it goes on from the checkpoint that was seen last")
    if found.witnessed:
        return _told(Exit.VALID, "valid")
    return _told(Exit.UNWITNESSED, "valid but unwitnessed")


def _told(code: Exit, status: str) -> int:
    print(f"verdict: {status}")
    return int(code)


def _trust(path: Path) -> Trust:
    members = parse(path.read_bytes())
    return read_trust(members if isinstance(members, dict) else {})


def _last(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_NOTE + 1).decode()
    except FileNotFoundError:
        return None
