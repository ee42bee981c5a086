"""What the team has decided: `stanch.toml`, overridden by the environment (STANCH_...)."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as SourceError

from playbooks.errors import SettingsError
from playbooks.wiring.addresses import private
from playbooks.wiring.automatic_terms import Automatic, Guard
from playbooks.wiring.channel_terms import Queue, Sender, Serve
from playbooks.wiring.forensics_terms import Forensics
from playbooks.wiring.hidden import hide
from playbooks.wiring.latch_part import Latch
from playbooks.wiring.publish_terms import Publishing
from playbooks.wiring.review_terms import Review
from playbooks.wiring.rotation_terms import Rotation
from playbooks.wiring.store_terms import FOLDER, Storing, place, refuse_unclear
from playbooks.wiring.timestamp_terms import TimestampAuthority, Timestamping
from playbooks.wiring.vault_terms import VaultLogin
from playbooks.wiring.witness_terms import Witness, WitnessPolicy


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Account(_Part):
    """One AWS account: the role to assume there, its external id by reference, its regions."""

    role: str | None = None
    external_id: str | None = None
    regions: tuple[str, ...] = ()


class SpoolFile(_Part):
    """The file that takes what the database cannot: best on another disk. Absent: beside `home`."""

    path: Path | None = None
    mebibytes: int = Field(default=8, ge=1, le=1024)


class Collection(_Part):
    """How long containing a host may wait for what it would forget; 0 contains it first.

    What is collected then, if anything, is on record: docs/operations/collection.md
    """

    seconds: float = Field(default=10.0, ge=0, le=60)


class Settings(BaseSettings):
    """All settings. `home` holds the database, the evidence and the keys."""

    model_config = SettingsConfigDict(
        env_prefix="STANCH_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    home: Path = Path("stanch-data")
    origin: str = "stanch.local/ledger"
    # Where a postgresql:// URL is found (env:NAME or file:PATH); without it, a file in `home`.
    database: str | None = None
    accounts: dict[str, Account] = {}
    automatic: Automatic | None = None
    guard: Guard = Guard()
    # Public keys (JWK, P-256) of the people who may ask and answer, by name: `stanch person`.
    people: dict[str, dict[str, str]] = {}
    stakeholders: tuple[str, ...] = ("security-team",)
    answer_hours: float = Field(default=24.0, gt=0)
    keep_ssm: bool = False
    spool: SpoolFile = SpoolFile()
    sources: dict[str, Sender] = {}
    vaults: dict[str, VaultLogin] = {}
    queues: dict[str, Queue] = {}
    serve: Serve = Serve()
    collection: Collection = Collection()
    review: Review = Review()
    rotation: Rotation = Rotation()
    # What is done with copies of disks, and which logs are kept: docs/operations/snapshots.md
    forensics: Forensics = Forensics()
    latch: Latch | None = None
    # Who cosigns the ledger's heads, by name, and how many of them must: docs/operations/witness.md
    witnesses: dict[str, Witness] = {}
    witness_policy: WitnessPolicy = WitnessPolicy()
    # Who stamps the ledger's heads, by name: docs/operations/timestamps.md
    timestamps: dict[str, TimestampAuthority] = {}
    timestamping: Timestamping = Timestamping()
    # Where artifacts lie: file, or s3://BUCKET/PREFIX; its terms: docs/operations/storage.md
    store: str = FOLDER
    storing: Storing = Storing()
    # Where a signer in a process of its own is asked, in place of a log key here: unix:///PATH
    signer: str | None = None
    # So long an entry of the ledger waits at most until its cases are counted: operations/ledger.md
    heads_minutes: float = Field(default=15.0, ge=1.0)
    # Where everybody may read the ledger without its bodies: docs/operations/ledger.md
    publishing: Publishing | None = None
    # An AWS endpoint other than AWS's own: the practice range, or a VPC endpoint.
    aws_endpoint: str | None = None

    @property
    def spool_path(self) -> Path:
        """Return the spool's file; each has a folder of its own."""
        return self.spool.path or self.home.with_name(f"{self.home.name}-spool") / "spool"

    @field_validator("aws_endpoint")
    @classmethod
    def _no_plain_http(cls, url: str | None) -> str | None:
        return url if url is None else private(url)

    @field_validator("store")
    @classmethod
    def _known_store(cls, uri: str) -> str:
        place(uri)
        return uri

    @field_validator("signer")
    @classmethod
    def _known_signer(cls, uri: str | None) -> str | None:
        if uri is not None and not uri.startswith("unix:///"):
            raise ValueError("must be unix:///PATH of the signer's socket")
        return uri

    @field_validator("publishing")
    @classmethod
    def _no_plain_publishing(cls, publishing: Publishing | None) -> Publishing | None:
        if publishing is not None and publishing.endpoint is not None:
            private(publishing.endpoint)
        return publishing

    @field_validator("storing")
    @classmethod
    def _no_plain_store(cls, storing: Storing) -> Storing:
        if storing.endpoint is not None:
            private(storing.endpoint)
        return storing

    @model_validator(mode="after")
    def _whole_store(self) -> "Settings":
        refuse_unclear(self)
        return self

    @field_validator("database")
    @classmethod
    def _only_a_reference(cls, reference: str | None) -> str | None:
        if reference is not None and not reference.startswith(("env:", "file:")):
            # It may be the URL with its password: say nothing of it.
            raise ValueError("must be env:NAME or file:PATH, never the URL itself")
        return reference

    @field_validator("accounts")
    @classmethod
    def _account_ids(cls, accounts: dict[str, Account]) -> dict[str, Account]:
        for id in accounts:
            if not re.fullmatch(r"\d{12}", id):
                raise ValueError(f"account {id!r} must be 12 digits, in quotes")
        return accounts

    @field_validator("sources", "queues", "vaults", "witnesses", "timestamps")
    @classmethod
    def _channel_names(cls, named: dict[str, Any]) -> dict[str, Any]:
        for name in named:
            if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", name):
                raise ValueError(f"{name!r} must be 1 to 32 of a-z, 0-9 and hyphens")
        return named

    @field_validator("witnesses")
    @classmethod
    def _no_plain_witness(cls, witnesses: dict[str, Witness]) -> dict[str, Witness]:
        for one in witnesses.values():
            private(one.url)
        return witnesses

    @field_validator("forensics")
    @classmethod
    def _copies_go_to_ours(cls, forensics: Forensics, info: ValidationInfo) -> Forensics:
        if (account := forensics.account) is None:
            return forensics
        known = info.data.get("accounts", {}).get(account)
        if known is None:
            raise ValueError(f"account {account!r} is not among the accounts")
        there = set(known.regions or forensics.account_keys)
        if away := sorted(set(forensics.account_keys) - there):
            raise ValueError(f"{', '.join(away)} is not among the regions of account {account!r}")
        return forensics

    @field_validator("queues")
    @classmethod
    def _queues_are_ours(cls, queues: dict[str, Queue], info: ValidationInfo) -> dict[str, Queue]:
        for name, queue in queues.items():
            if queue.account not in info.data.get("accounts", {}):
                raise ValueError(f"{name}: account {queue.account!r} is not among the accounts")
        return queues

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = TomlConfigSettingsSource(settings_cls, toml_file=config_path())
        return init_settings, env_settings, file


def config_path() -> Path:
    """Return where the settings file is: $STANCH_CONFIG, or stanch.toml in this folder."""
    return Path(os.environ.get("STANCH_CONFIG", "stanch.toml"))


def load() -> Settings:
    """Return the settings. Raise SettingsError that names each thing wrong and its place."""
    path = config_path()
    if "STANCH_CONFIG" in os.environ and not path.is_file():
        raise SettingsError(f"STANCH_CONFIG names {path}, which is no file. Run `stanch init`.")
    try:
        settings = Settings()
    except ValidationError as error:
        lines = "; ".join(
            f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()
        )
        raise SettingsError(f"{path}: {lines}. Correct it and try again.") from None
    except SourceError as error:
        # Its message names the field and the source, never the value.
        raise SettingsError(
            f"environment: {error}. Set STANCH_... to JSON there, or use stanch.toml."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(
            f"{path} cannot be read as TOML: {_where(error)}. Correct it and try again."
        ) from None
    if not settings.home.is_absolute():
        home = (path.parent / settings.home).resolve()
        settings = settings.model_copy(update={"home": home})
    if settings.spool.path and not settings.spool.path.is_absolute():
        spool = settings.spool.model_copy(
            update={"path": (path.parent / settings.spool.path).resolve()}
        )
        settings = settings.model_copy(update={"spool": spool})
    return settings


def _where(error: Exception) -> str:
    """Return what is wrong and where, without the text that is: it may hold a secret."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    place = re.search(r"at line \d+, column \d+|at end of document", str(error))
    return f"not valid {place.group() if place else ''}".strip()


def resolve(reference: str, setting: str = "") -> str:
    """Return the secret that `env:NAME` or `file:PATH` refers to; secrets are never in settings.

    Raises SettingsError that names the setting, and nothing of the reference.
    """
    scheme, _, rest = reference.partition(":")
    if scheme == "env" and rest in os.environ:
        return hide(os.environ[rest])
    if scheme == "file" and Path(rest).is_file():
        return hide(Path(rest).read_text().strip())
    # Somebody may have put the secret itself in place of a reference: say nothing of it.
    what = f"{scheme}:..." if scheme in ("env", "file") else "of an unknown kind"
    raise SettingsError(
        f"{f'{setting}: ' if setting else ''}a secret reference ({what}) cannot be resolved. "
        "Expected env:NAME with NAME set, or file:PATH to a file that exists. Set it here, or "
        "correct it in stanch.toml."
    )
