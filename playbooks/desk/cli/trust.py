"""`stanch trust`: write anew what auditors must be given, after whom to trust has changed."""

import json

from playbooks.desk.cli.surroundings import out, printable
from playbooks.wiring import keyring, trusting
from playbooks.wiring.settings import load


def trust() -> None:
    """Write keys/trust.json from the keys and the settings; give it to auditors by another way."""
    settings = load()
    members = trusting.trust(settings, keyring.load(settings.home / "keys", settings.origin))
    path = settings.home / "keys" / "trust.json"
    beside = path.with_name("trust.json.new")
    beside.write_text(json.dumps(members, indent=2) + "\n")
    beside.replace(path)
    out().print(f"trust     {printable(str(path))}: give it to your auditors by another way")
    for key in members.get("witnesses", ()):
        out().print(f"witness   {printable(key)}")
    for one in members.get("timestamp_authorities", ()):
        out().print(f"timestamps {printable(one['name'])}")
