"""The senders in the settings, with the keys that the references there lead to."""

from collections.abc import Callable

from playbooks.errors import SettingsError
from playbooks.intake.signed import LEAST_KEY, Senders, senders
from playbooks.wiring.settings import Settings, resolve


def known_senders(settings: Settings, random: Callable[[int], bytes]) -> Senders:
    """Return the senders; `random(n)` gives n bytes.

    Raises SettingsError where a key cannot be found or is under 32 bytes; it names the sender and
    shows nothing of the key.
    """
    keys = {
        name: tuple(resolve(one, f"sources.{name}.keys").encode() for one in sender.keys)
        for name, sender in settings.sources.items()
    }
    for name, given in keys.items():
        if any(len(key) < LEAST_KEY for key in given):
            raise SettingsError(
                f"sources.{name} in stanch.toml: a key has fewer than {LEAST_KEY} bytes. Make one"
                " with `openssl rand -hex 32`, and give the sender the same text."
            )
        if len(set(given)) != len(given):
            raise SettingsError(
                f"sources.{name} in stanch.toml: both keys are the same. While keys are changed"
                " give the old and the new one; else give one."
            )
    return senders(keys, random)
