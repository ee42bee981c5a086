"""`stanch vault`: what a Vault is like before an incident, and what Stanch needs there."""

from typing import Annotated

import typer

from playbooks.case.vault_known import gathered, path_of
from playbooks.desk.cli.surroundings import here, out, printable
from playbooks.desk.cli.vault_permissions import needed_in_vault
from playbooks.errors import SettingsError
from playbooks.wiring.settings import Settings, load

Name = Annotated[str, typer.Argument(help="The Vault's name in stanch.toml.")]
app = typer.Typer(help="A Vault's baseline, and the policy that Stanch needs in it.")


@app.command()
def baseline(name: Name) -> None:
    """Keep what the Vault has now, to be compared with in an incident: names, digests, policies."""
    settings, parts, _ = here()
    must_be_known(settings, name)
    found, missed = gathered(parts.vault(name))
    if missed:
        raise SettingsError(
            f"Vault {name} did not tell all: {', '.join(missed[:3])}. No baseline was written. "
            f"Give Stanch what `stanch vault permissions {name}` prints."
        )
    path = path_of(settings, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(found.text())
    told = f"{len(found.policies)} policies, {len(found.audit)} audit devices"
    out().print(f"{told}: {printable(str(path))}")


@app.command()
def permissions(
    name: Name,
    play: Annotated[list[str] | None, typer.Option(help="A play; all when left out.")] = None,
) -> None:
    """Print the policy that Stanch's login needs: vault policy write stanch -"""
    settings = load()
    must_be_known(settings, name)
    typer.echo(needed_in_vault(settings, name, play or ()))


def must_be_known(settings: Settings, name: str) -> None:
    """Raise SettingsError for a Vault that is not in the settings."""
    if name not in settings.vaults:
        raise SettingsError(
            f"there is no Vault {name!r} in the settings. There are: "
            f"{', '.join(settings.vaults) or 'none so far'}."
        )
