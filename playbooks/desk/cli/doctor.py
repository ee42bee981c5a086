"""`stanch doctor`: is everything in place, and what to do where it is not."""

import json
import os
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from evidence import ledger
from evidence.errors import EvidenceError
from playbooks.case import store
from playbooks.desk.cli.surroundings import here, out, printable
from playbooks.errors import PlaybookError
from playbooks.wiring import people
from playbooks.wiring.parts import Parts
from playbooks.wiring.settings import Settings, config_path

if TYPE_CHECKING:
    from collections.abc import Callable


def doctor() -> None:
    """Check settings, keys, database, ledger, accounts and Prefect; exit 1 when one is not well."""
    settings, parts, db = here()
    checks: dict[str, Callable[[], str]] = {
        "settings": lambda: _settings(settings),
        "keys": lambda: _keys(settings, parts),
        "database": lambda: f"{len(db.read(store.incidents))} incidents",
        "ledger": lambda: f"replayed, root {db.read(ledger.replay).hex()[:16]}",
        "people": lambda: _people(settings),
        "prefect": lambda: f"{version('prefect')}, {os.environ.get('PREFECT_API_URL', 'child')}",
    }
    for account, known in settings.accounts.items():
        for region in known.regions or ("us-east-1",):
            checks[f"{account}/{region}"] = lambda a=account, r=region: _account(parts, a, r)  # type: ignore[misc]
    console, well = out(), True
    for name, check in checks.items():
        try:
            console.print(f"[green]ok[/]   {name}: {printable(check())}")
        except (PlaybookError, EvidenceError, OSError) as error:
            well = False
            console.print(f"[red]bad[/]  {name}: {printable(str(error))}")
        except DBAPIError as error:
            well = False
            console.print(f"[red]bad[/]  {name}: {printable(str(error.orig))}")
    if not well:
        sys.exit(1)


def _settings(settings: Settings) -> str:
    path = config_path()
    if not path.is_file():
        raise PlaybookError(
            f"there is no {path} here. Go to its folder, or set STANCH_CONFIG to its path."
        )
    if not settings.accounts:
        raise PlaybookError(
            f'no account is in {path}, so nothing can be contained. Add [accounts."..."] to it.'
        )
    automatic = settings.automatic
    may = f"{len(automatic.types)} types act by themselves" if automatic else "all is only proposed"
    return f"{path}: {len(settings.accounts)} accounts; {may}"


def _keys(settings: Settings, parts: Parts) -> str:
    given = settings.home / "keys" / "trust.json"
    if not given.is_file() or json.loads(given.read_text()) != parts.keys.trust():
        raise PlaybookError(
            f"{given} is not what these keys and `origin` give, so auditors cannot check new "
            "evidence. Were the keys replaced, or `origin` changed in stanch.toml? Put it back."
        )
    return f"log {parts.keys.log.verifier.name}, as in trust.json"


def _people(settings: Settings) -> str:
    people.known(settings)
    if len(settings.people) < 2:
        raise PlaybookError(
            f"{len(settings.people)} people can answer; two are needed, for nobody approves what "
            "they asked for. Make keys with `stanch person` and add them to stanch.toml."
        )
    return ", ".join(sorted(settings.people))


def _account(parts: Parts, account: str, region: str) -> str:
    parts.maker(account, region)("ec2")
    return "session assumed, account confirmed"
