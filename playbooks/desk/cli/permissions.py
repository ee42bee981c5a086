"""`stanch permissions`: the least that Stanch's role needs for a set of plays."""

import ast
import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import playbooks
from actions.catalogue import catalogue
from actions.policy import LIMIT, length, packed, policy
from playbooks.case import looking
from playbooks.desk.cli.examining import BY_SETTINGS, examining
from playbooks.desk.cli.surroundings import show_json
from playbooks.errors import SettingsError
from playbooks.intake.queue import PERMISSIONS
from playbooks.latch.planned import LOOKS, arn_of
from playbooks.respond import plays
from playbooks.wiring import key_terms, publish_terms, store_terms
from playbooks.wiring.settings import Settings, load

if TYPE_CHECKING:
    from actions.action import Action


# What every play stands on names actions too, which most plays never come to.
CORE = ("playbooks.case.case", "playbooks.case.play")


def permissions(
    play: Annotated[list[str] | None, typer.Option(help="A play; all when left out.")] = None,
    account: Annotated[str, typer.Option(help="The account, 12 digits.")] = "*",
    region: Annotated[str, typer.Option(help="The region.")] = "*",
    partition: Annotated[str, typer.Option(help="aws, aws-cn or aws-us-gov.")] = "aws",
    managed: Annotated[
        bool, typer.Option("--managed", help="As a list of policies that managed policies hold.")
    ] = False,
) -> None:
    """Print the IAM policy, with resource and tag conditions, from the actions the plays name.

    It also lets Stanch poll the account's queues that are in stanch.toml, use its canary, and keep
    artifacts in its bucket.
    """
    _refuse("--account", account, r"\*|\d{12}", "12 digits")
    _refuse("--region", region, r"\*|[a-z]{2}(-[a-z]+)+-\d", "one such as eu-west-1")
    _refuse("--partition", partition, r"aws(-cn|-us-gov)?", "aws, aws-cn or aws-us-gov")
    whole = needed(play or list(plays.names()), account, region, partition)
    settings = load()
    whole["Statement"] += beyond_plays(settings, account, partition)
    whole["Statement"] += examining(settings, account, region, partition)
    if managed:
        show_json(packed(whole["Statement"], LIMIT))
        return
    if length(whole) > LIMIT:
        # IAM and AWS STS quotas: a managed policy 6,144, the inline policies of a role 10,240.
        typer.echo(
            f"{length(whole)} characters: a managed policy holds 6,144, and all inline policies of "
            "a role 10,240. Print --managed ones, or fewer plays with --play.",
            err=True,
        )
    show_json(whole)


def _refuse(option: str, value: str, shape: str, expected: str) -> None:
    if not re.fullmatch(shape, value):
        raise SettingsError(f"{option} {value!r} cannot be. Expected {expected}.")


def needed(names: list[str], account: str, region: str, partition: str) -> dict[str, Any]:
    """Return the policy document for these plays: their actions, and their sources' reads."""
    kinds: dict[type[Action[Any]], None] = {}
    reads = {"sts:GetCallerIdentity", *looking.PERMISSIONS}
    for name in names:
        modules = _imported(name)
        known = catalogue()
        # What an action in a Vault needs is a policy there, not IAM's.
        acts = [m for m in modules if m.startswith("actions.") and ".vault." not in m]
        stems = [m.rpartition(".")[2] for m in acts]
        kinds |= dict.fromkeys(known[s] for s in stems if s in known)
        for module in (m for m in modules if m.startswith("playbooks.review.")):
            reads |= set(getattr(importlib.import_module(module), "PERMISSIONS", ()))
        for module in (m for m in modules if m.startswith("evidence.sources.")):
            for value in vars(importlib.import_module(module)).values():
                if isinstance(value, type) and value.__module__ == module:
                    reads |= set(getattr(value, "permissions", ()))
    document = policy(kinds, account=account, region=region, partition=partition)
    reads = {read for read in reads if not read.startswith(BY_SETTINGS)}
    keep = {"Effect": "Allow", "Action": sorted(reads), "Resource": "*"}
    return document | {"Statement": [*document["Statement"], keep]}


def beyond_plays(settings: Settings, account: str, partition: str) -> list[dict[str, Any]]:
    """Return the statements for what the settings ask for, whatever the plays are."""
    return [
        *polling(settings, account, partition),
        *key_terms.statements(settings, account),
        *probing(settings, account, partition),
        *latching(settings, account, partition),
        *store_terms.statements(settings, account, partition),
        *publish_terms.statements(settings, account, partition),
    ]


def probing(settings: Settings, account: str, partition: str) -> list[dict[str, Any]]:
    """Return the statement for assuming the canary of the latch; none where there is no latch."""
    if settings.latch is None:
        return []
    canary = f"arn:{partition}:iam::{account}:role/{settings.latch.canary}"
    return [{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": canary}]


def latching(settings: Settings, account: str, partition: str) -> list[dict[str, Any]]:
    """Return the statements for checking and trying the latch, in its administrator's account."""
    part = settings.latch
    if part is None or account not in ("*", part.admin):
        return []
    latch = arn_of(part, partition)
    return [
        {"Effect": "Allow", "Action": list(LOOKS), "Resource": "*"},
        {"Effect": "Allow", "Action": ["organizations:UpdatePolicy"], "Resource": latch},
    ]


def polling(settings: Settings, account: str, partition: str) -> list[dict[str, Any]]:
    """Return the statements for polling the queues of one account, or of all for `*`."""
    queues = [
        f"arn:{partition}:sqs:{queue.region}:{queue.account}:{queue.url.rpartition('/')[2]}"
        for _, queue in sorted(settings.queues.items())
        if account in ("*", queue.account)
    ]
    if not queues:
        return []
    return [{"Effect": "Allow", "Action": list(PERMISSIONS), "Resource": queues}]


def _imported(play: str) -> list[str]:
    """Return the modules that a play's file imports, and those of its verbs; runs none."""
    stem = play.replace("-", "_")
    if stem not in plays.names():
        plays.find(play)
    root = Path(playbooks.__path__[0])
    found = _names(root / f"{stem}.py")
    seen = set(CORE)
    while verbs := {n for n in found if n.startswith("playbooks.case.")} - seen:
        seen |= verbs
        files = (root.parent / f"{verb.replace('.', '/')}.py" for verb in sorted(verbs))
        found += [name for file in files if file.is_file() for name in _names(file)]
    for folder in ("review", "rotation"):
        # What these may do depends on what people decide or declare: the play names no action.
        if any(name.startswith(f"playbooks.{folder}") for name in found):
            for file in sorted((root / folder).glob("*.py")):
                found += [f"playbooks.{folder}.{file.stem}", *_names(file)]
    return found


def _names(file: Path) -> list[str]:
    tree = ast.parse(file.read_text())
    return [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
