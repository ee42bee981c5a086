"""Prefect: the right version, and reachable where the settings name a server."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import requires, version
from typing import Any
from urllib.parse import urlsplit

from packaging.requirements import Requirement
from packaging.version import Version

from playbooks.desk.doctor.finding import Finding, bad, ok, warn
from playbooks.desk.doctor.place import Place
from playbooks.wiring.addresses import LOOPBACK

# Versions before these let strangers in or run their code: CVE-2026-7723 (3.6.14), CVE-2026-7722
# (3.6.22), CVE-2026-5366 (3.6.25), the server-side requests of schema references (3.7.5).
FIXED = Version("3.7.5")


def library(_: Place) -> Iterator[Finding]:
    """Say whether the Prefect that is installed is one that Stanch was tried with."""
    found = Version(version("prefect"))
    pins = [Requirement(r) for r in requires("stanch") or [] if Requirement(r).name == "prefect"]
    wanted = pins[0].specifier if pins else None
    if found < FIXED:
        yield bad(
            "prefect",
            f"{found} has known holes that {FIXED} closed",
            "Install what requirements.lock names.",
        )
    elif wanted is not None and found not in wanted:
        yield bad(
            "prefect",
            f"{found} is installed; Stanch was tried with {wanted}",
            "Install what requirements.lock names.",
        )
    else:
        yield ok("prefect", f"{found}")


def server(_: Place) -> Iterator[Finding]:
    """Say whether Prefect's server answers. Containment does not need it; seeing runs does."""
    url = os.environ.get("PREFECT_API_URL", "")
    if not url:
        yield ok("prefect server", "none is named; `stanch serve` keeps one as a child")
        return
    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.hostname}"
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        yield bad(
            "prefect server",
            f"{where} is reached without TLS: whoever is between can start plays",
            "Set PREFECT_API_URL to an https URL.",
        )
        return
    try:
        theirs = Version(_ask(f"{url.rstrip('/')}/admin/version"))
    except (urllib.error.URLError, OSError, ValueError) as error:
        yield warn(
            "prefect server",
            f"{where} does not answer: {type(error).__name__}",
            "Plays run all the same and are not shown. Start it, or correct PREFECT_API_URL.",
        )
        return
    if theirs < FIXED:
        what = f"{where} runs {theirs}, with known holes that {FIXED} closed"
        yield bad("prefect server", what, "Upgrade the server.")
    elif theirs.release[:2] != Version(version("prefect")).release[:2]:
        what = f"{where} runs {theirs}, this is {version('prefect')}"
        yield warn("prefect server", what, "Run the same minor version on both sides.")
    else:
        yield ok("prefect server", f"{where} answers, {theirs}")


def _ask(url: str) -> str:
    # The scheme was checked: https, or http on loopback.
    with urllib.request.urlopen(url, timeout=4) as answer:  # noqa: S310
        said: Any = json.loads(answer.read(1_000))
    return str(said)
