"""Keys that live in a service: reached, of the right kind, and still those that were pinned."""

from collections.abc import Iterator

from evidence.errors import KeyMaterialError, KeyServiceError
from evidence.keys import place_of, public_half
from evidence.signing.place import NO_CLIENTS, Use
from evidence.signing.vault_transit import TransitKey
from playbooks.desk.doctor.finding import Finding, bad, ok, warn
from playbooks.desk.doctor.place import Place
from playbooks.wiring.key_clients import key_clients
from playbooks.wiring.key_places import places


def key(place: Place, use: Use) -> Iterator[Finding]:
    """Say of one key whether it could sign or wrap now; of one in the keys' folder nothing."""
    check, pinned = f"{use} key", places(place.settings.home / "keys")[use]
    lives = place_of(pinned.uri, NO_CLIENTS)
    if lives is None:
        return
    try:
        found = public_half(pinned.uri, use, key_clients(place.settings, place.now))
    except KeyServiceError as error:
        yield bad(check, str(error), "Until then nothing is sealed; containment goes on.")
        return
    except KeyMaterialError as error:
        yield bad(check, str(error), "See docs/operations/keys.md.")
        return
    if found != pinned.public:
        yield bad(
            check,
            f"{lives.name} is another key now than the one that trust.json names: nothing it signs "
            "is used",
            "Who made it anew? Put the old one back; see docs/operations/keys.md.",
        )
        return
    yield ok(check, f"{lives.name} answers, stays there, and is the one that was pinned")
    if isinstance(lives, TransitKey):
        yield from _set_apart(place, check, lives)


def _set_apart(place: Place, check: str, lives: TransitKey) -> Iterator[Finding]:
    known = place.settings.vaults.get(lives.vault)
    mine = f"{lives.mount}/"
    if known and not any(mine.startswith(f"{p.strip('/')}/") for p in known.prefixes):
        yield warn(
            check,
            f"an incident in Vault {lives.vault} may disable {lives.name} along with the others",
            f'Keep Stanch\'s keys on a mount of their own, and add "{lives.mount}" to '
            f"vaults.{lives.vault}.prefixes.",
        )
