"""What auditors must trust, from keys and settings together: trust.json."""

from typing import Any

from evidence.errors import PolicyError
from evidence.keys import public_jwk
from evidence.note import vkey
from playbooks.errors import SettingsError
from playbooks.wiring import timestamp_terms
from playbooks.wiring.keyring import Keyring
from playbooks.wiring.people import known
from playbooks.wiring.settings import Settings, config_path
from playbooks.wiring.witness_terms import policy_text


def trust(settings: Settings, ring: Keyring) -> dict[str, Any]:
    """Return the members of trust.json.

    Raises SettingsError where the witness policy, a timestamp authority's file, or a person's key
    is wrong.
    """
    members = ring.trust() | timestamp_terms.trust(settings)
    # JSON that the verifier takes has ASCII names only; whoever has another stays unpinned.
    if pinned := {name: public_jwk(key) for name, key in known(settings).items() if name.isascii()}:
        members |= {"people": pinned}
    if policy := policy_of(settings, ring):
        keys = [one.vkey for one in settings.witnesses.values()]
        members |= {"witnesses": keys, "policy": policy}
    return members


def policy_of(settings: Settings, ring: Keyring) -> str:
    """Return the policy of witnesses (C2SP tlog-policy), empty where there are none.

    Raises SettingsError where it is malformed, or its file cannot be read.
    """
    terms = settings.witness_policy
    if terms.file is not None:
        terms = terms.model_copy(update={"file": config_path().parent / terms.file})
    try:
        return policy_text(settings.witnesses, terms, vkey(ring.log.verifier))
    except (PolicyError, OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"witness_policy: {error}. Correct it in stanch.toml.") from None
