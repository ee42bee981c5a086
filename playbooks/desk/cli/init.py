"""`stanch init`: make a deployment's folder, keys and database."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from evidence.signing.place import Use
from playbooks.case import migrating, spooling
from playbooks.desk.cli.surroundings import out
from playbooks.errors import SettingsError
from playbooks.wiring import keyring, trusting
from playbooks.wiring.database import file, open_engine
from playbooks.wiring.key_clients import key_clients
from playbooks.wiring.parts import now
from playbooks.wiring.settings import Settings, config_path, load

STARTER = """\
# Where Stanch keeps its database, evidence and keys, relative to this file.
home = "stanch-data"
# A PostgreSQL database in place of a file in `home`; the URL holds a password, so by reference.
# database = "env:STANCH_DATABASE_URL"
# Artifacts in a bucket with Object Lock in place of a folder in `home`, and [storing] below.
# store = "s3://example-evidence/stanch"
# The ledger's name, in every checkpoint; a DNS name of yours, never changed later.
origin = "stanch.local/ledger"

# One table an account. The role is assumed with the external id; secrets by reference only.
# [accounts."111122223333"]
# role = "arn:aws:iam::111122223333:role/stanch-responder"
# external_id = "env:STANCH_EXTERNAL_ID"
# regions = ["eu-west-1"]

# Finding types that may be answered without a person (* allowed), from this severity on.
# [automatic]
# types = ["Backdoor:EC2/C&CActivity.B", "UnauthorizedAccess:EC2/TorClient"]
# severity_floor = 7.0

# Queues that EventBridge fills with GuardDuty's findings, polled with the account's role.
# [queues.main]
# url = "https://sqs.eu-west-1.amazonaws.com/111122223333/stanch-findings"
# account = "111122223333"
# region = "eu-west-1"

# SIEMs that sign what they post to `stanch serve`: keys of 32 bytes or more by reference, two
# while they are changed; what a rule of theirs means, its resource being the suspect.
# [sources.edr]
# keys = ["env:STANCH_EDR_KEY"]
# plays = { "beaconing-host" = "compromised-instance" }

# Vaults, where Stanch logs in on a mount of its own (docs/operations/vault.md).
# [vaults.prod]
# url = "https://vault.internal:8200"
# role_id = "file:/etc/stanch/secrets/vault-role-id"
# secret_id = "file:/etc/stanch/secrets/vault-secret-id"

# Denials from above the accounts, where you have an organisation: `stanch latch plan`
# (docs/operations/latch.md). [rotation] says where credentials are kept and who reads them
# (docs/operations/rotation.md), [review] who owns what (docs/operations/reviews.md).
# [latch]
# admin = "444455556666"
# management = "999988887777"
# organization = "o-exampleorgid"

# Whose the bucket is that `store` names, and for how long each artifact is kept at least: nobody
# can cut that short (docs/operations/storage.md).
# [storing]
# account = "222233334444"
# region = "eu-west-1"
# retention_days = 365

# Who else cosigns the ledger's heads, and how many of them must (docs/operations/witness.md).
# [witnesses.auditor]
# url = "https://witness.auditor.example"
# vkey = "witness.auditor.example/stanch+..."
# [witness_policy]
# needed = "all"

# Who stamps the ledger's heads (RFC 3161), so that times need not be yours to believe: two or more
# (docs/operations/timestamps.md).
# [timestamps.first]
# url = "https://tsa.first.example/"
# certificate = "tsa/first.pem"
# root = "tsa/first-chain.pem"
# policy = "1.3.6.1.4.1.99999.1"

# [guard]
# own = ["i-...", "stanch-responder"]
# protected = []
# Targets that may be acted on without a person: in one incident, and in all of them within
# `window_minutes`, of one account, service (the tag named here) and scaling group.
# ceiling = 5
# account_ceiling = 25
# service_ceiling = 10
# group_ceiling = 5
# window_minutes = 60
# service_tag = "service"

# What the database cannot take goes here meanwhile: name a path on another disk.
# [spool]
# path = "/var/lib/stanch-spool/spool"

# Who may ask and answer: what `stanch person NAME --key FILE` prints.
"""


def init(
    log_key: Annotated[
        str | None, typer.Option("--log-key", help="URI of an Ed25519 key that signs heads.")
    ] = None,
    manifest_key: Annotated[
        str | None, typer.Option("--manifest-key", help="URI of a P-256 key that signs manifests.")
    ] = None,
    wrap_key: Annotated[
        str | None, typer.Option("--wrap-key", help="URI of a key that wraps artifacts' keys.")
    ] = None,
) -> None:
    """Make the settings file where there is none, and the folder with keys and database.

    A key that is not given by URI is made in that folder. URIs: vault-transit:, awskms:, pkcs11:,
    file: (docs/operations/keys.md). What they need of stanch.toml must stand there before.
    """
    path = config_path()
    if not path.exists():
        path.write_text(STARTER)
    settings = load()
    given: dict[Use, str | None] = {"log": log_key, "manifest": manifest_key, "wrap": wrap_key}
    trust = make(settings, {use: uri for use, uri in given.items() if uri is not None})
    out().print(f"settings  {path}\nhome      {settings.home}\nlog key   {trust['log_vkey']}")
    beside = settings.spool_path.parent.stat().st_dev == settings.home.stat().st_dev
    out().print(
        f"spool     {settings.spool_path}"
        + (": on the disk of the database; name another one in \\[spool]" if beside else "")
    )
    out().print(
        f"trust     {settings.home / 'keys' / 'trust.json'}: give it to your auditors by another "
        "way than the bundles, and back the keys up.\n"
        f"next      put your accounts into {path}, add two people (`stanch person`), "
        "then `stanch doctor`."
    )


def make(settings: Settings, given: Mapping[Use, str] | None = None) -> dict[str, Any]:
    """Make the home folder (0700), the keys and the database; return what auditors must trust.

    Of the keys those that are not `given` by URI.
    """
    home = settings.home
    path = file(settings)
    if path is None:
        server = open_engine(settings)
        migrating.refuse_used(server)
        server.dispose()
    elif path.exists():
        raise SettingsError(f"{home} holds a Stanch already; nothing was changed.")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    clients = key_clients(settings, now)
    ring = keyring.create(home / "keys", settings.origin, given, clients)
    trust = trusting.trust(settings, ring)
    engine = open_engine(settings, new=True)
    migrating.create(engine)
    engine.dispose()
    write_trust(home / "keys" / "trust.json", trust)
    spooling.ready(settings, os.urandom)
    return trust


def write_trust(path: Path, trust: dict[str, Any]) -> None:
    """Write the public keys for auditors."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w") as file:
        json.dump(trust, file, indent=2)
        file.write("\n")
