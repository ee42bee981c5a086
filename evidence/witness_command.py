"""`python -m evidence witness init|serve|show`: a witness that somebody else than the log runs."""

import argparse
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from evidence.cosignature import cosigner_vkey
from evidence.errors import EvidenceError
from evidence.note import unverified_checkpoint
from evidence.witness import Witness
from evidence.witness_folder import PORT, Config, create_witness, open_witness, read_config
from evidence.witness_server import WitnessServer, tls_context

READY = "ready "


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `witness` and its own."""
    about = "remember a log's heads and cosign what extends them"
    verbs = commands.add_parser("witness", help=about).add_subparsers(dest="verb", required=True)
    init = verbs.add_parser("init", help="make a witness in a new folder")
    init.add_argument("folder", type=Path)
    init.add_argument("--name", required=True, help="such as witness.example/stanch")
    init.add_argument("--log", action="append", required=True, help="log_vkey of trust.json")
    init.add_argument("--host", default="127.0.0.1")
    init.add_argument("--port", type=int, default=PORT, help="0 for any free one")
    init.add_argument("--certificate", default="", help="PEM file; needed beyond loopback")
    init.add_argument("--private-key", default="", help="PEM file of the certificate")
    for verb, says in (("serve", "answer the log"), ("show", "say what it has seen")):
        verbs.add_parser(verb, help=says).add_argument("folder", type=Path)


def run(chosen: argparse.Namespace) -> int:
    """Run the chosen verb and return its exit code."""
    try:
        if chosen.verb == "init":
            _init(chosen)
        elif chosen.verb == "serve":
            _serve(chosen.folder)
        else:
            _show(chosen.folder)
    except (EvidenceError, OSError) as error:
        print(f"witness: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def listening(folder: Path) -> Iterator[WitnessServer]:
    """Yield the witness of a folder, bound to its port and ready to serve.

    Raises:
        WitnessError: when it may not start.
        OSError: when it cannot listen or its certificate cannot be loaded.
    """
    config = read_config(folder)
    config.refuse_open()
    witness = open_witness(folder, config, lambda: int(time.time()))
    tls = tls_context(config.certificate, config.private_key) if config.certificate else None
    with WitnessServer(witness, config.host, config.port, tls, _say) as server:
        yield server


def _init(chosen: argparse.Namespace) -> None:
    config = Config(
        chosen.name,
        tuple(chosen.log),
        chosen.host,
        chosen.port,
        chosen.certificate,
        chosen.private_key,
    )
    key = create_witness(chosen.folder, config)
    print(f"vkey  {cosigner_vkey(key.cosigner)}")
    print(
        "next  give this line to the log's operator and to whoever verifies, then `witness serve`"
    )


def _serve(folder: Path) -> None:
    with listening(folder) as server:
        print(f"{READY}{server.url}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            threading.Thread(target=server.shutdown, daemon=True).start()


def _show(folder: Path) -> None:
    witness = open_witness(folder, read_config(folder), lambda: int(time.time()))
    print(f"vkey  {cosigner_vkey(witness.key.cosigner)}")
    for origin, keys in sorted(witness.logs.items()):
        print(f"log   {origin}: {len(keys)} keys")
    _show_seen(witness)


def _show_seen(witness: Witness) -> None:
    with witness.state.turn() as turn:
        heads, contradictions = turn.heads(), turn.contradictions()
    for note, at in heads:
        head = unverified_checkpoint(note)
        print(f"seen  {head.origin}: {head.size} entries, root {head.root.hex()}, {_when(at)}")
    for one in contradictions:
        print(f"\nREFUSED with {one.status}, {_when(one.at)}, signed by the log:\n{one.note}")


def _when(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
