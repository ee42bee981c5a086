"""`python -m evidence signer --key URI --origin NAME --memory FOLDER --socket PATH`: signs heads.

It holds the log's key and remembers what it signed last, for a Stanch that has neither.
"""

import argparse
import grp
import os
import pwd
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from evidence.errors import EvidenceError
from evidence.keys import SECOND, load_log
from evidence.note import vkey
from evidence.signer import MEMORY, RememberingSigner
from evidence.signer_server import Door, SignerServer, bind

READY = "ready "


def add_parser(commands: Any) -> None:
    """Add the command to the subparsers of a command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "signer", help="sign a log's heads for a Stanch that has no log key"
    )
    parser.add_argument("--key", required=True, help="URI of the log's key: file:///PATH/log.pem")
    parser.add_argument("--origin", required=True, help="the log's name, `origin` in stanch.toml")
    parser.add_argument(
        "--memory", type=Path, required=True, help=f"folder (0700) that holds {MEMORY}"
    )
    parser.add_argument("--socket", type=Path, required=True, help="where to listen")
    parser.add_argument(
        "--allow", action="append", default=[], help="a user who may ask, besides this one"
    )
    parser.add_argument("--group", help="a group that may open the socket; needed for others")
    parser.add_argument(
        "--begin", action="store_true", help="make the memory of a log that never signed anything"
    )


def run(chosen: argparse.Namespace) -> int:
    """Sign until told to stop (SIGTERM, SIGINT); return the exit code."""
    try:
        signer = _signer(chosen)
        door = Door(chosen.socket, _users(chosen.allow), _group(chosen.group))
        listening = bind(door)
    except (EvidenceError, OSError, KeyError) as error:
        print(f"signer: {error}", file=sys.stderr)
        return 1
    server = SignerServer(signer, listening, door.users, _say)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.stop).start())
    print(f"{READY}{chosen.socket} {vkey(signer.verifier)}", flush=True)
    server.serve()
    chosen.socket.unlink(missing_ok=True)
    return 0


def _signer(chosen: argparse.Namespace) -> RememberingSigner:
    second = None
    if os.path.lexists(chosen.memory / SECOND):
        # Needs a cryptography that has ML-DSA, which nobody else does.
        from evidence.second_key import load_second

        second = load_second(chosen.memory, chosen.origin)
    key = load_log(chosen.key, chosen.origin)
    signer = RememberingSigner(key, chosen.memory / MEMORY, second)
    if chosen.begin:
        signer.begin()
    # At the start, not at the first head: without its memory it must not go on.
    signer.last()
    return signer


def _users(named: list[str]) -> frozenset[int]:
    found = {os.geteuid()}
    for name in named:
        try:
            found.add(int(name) if name.isdecimal() else pwd.getpwnam(name).pw_uid)
        except KeyError:
            raise KeyError(f"there is no user {name!r} here; look at --allow") from None
    return frozenset(found)


def _group(named: str | None) -> int | None:
    if named is None:
        return None
    try:
        return int(named) if named.isdecimal() else grp.getgrnam(named).gr_gid
    except KeyError:
        raise KeyError(f"there is no group {named!r} here; look at --group") from None


def _say(what: str) -> None:
    print(ascii(what)[1:-1], file=sys.stderr, flush=True)
