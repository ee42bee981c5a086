"""`python -m evidence open FILE --key KEYFILE -o FOLDER`: opens a bundle sealed for you."""

import argparse
import sys
from pathlib import Path
from typing import Any

from evidence.enclosure import unseal
from evidence.errors import EvidenceError
from evidence.recipients import read_private


def add_parser(commands: Any) -> None:
    """Add the command to the subparsers of a command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "open",
        help="open a bundle that was sealed for you",
        epilog="Make a key: openssl genpkey -algorithm X25519 -out key.pem (chmod 600; its folder "
        "700). Hand out: openssl pkey -in key.pem -pubout",
    )
    parser.add_argument("path", type=Path, help="the sealed file")
    parser.add_argument("--key", type=Path, required=True, help="your X25519 private key, in PEM")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="new folder for the bundle"
    )


def run(chosen: argparse.Namespace) -> int:
    """Open it; return 0, or 1 where it cannot be opened, and then nothing of it is left."""
    try:
        key = read_private(chosen.key)
        with chosen.path.open("rb") as source:
            unseal(source, key, chosen.output)
    except (OSError, EvidenceError) as error:
        print(f"{chosen.path}: {error}", file=sys.stderr)
        return 1
    print(f"opened {chosen.output}; check it: python -m evidence verify {chosen.output}")
    return 0
