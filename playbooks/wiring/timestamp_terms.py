"""Which timestamping authorities are asked, and what is pinned of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from evidence import timestamp
from evidence.errors import TimestampError
from playbooks.errors import SettingsError

if TYPE_CHECKING:
    from playbooks.wiring.settings import Settings


class TimestampAuthority(BaseModel):
    """One authority (RFC 3161): its URL, and files in PEM, of which `root` may hold a whole chain.

    Without `url` it is not asked any more, but its tokens count: a certificate that was followed by
    another. `policy` is the object identifier under which it stamps. `crl` is a file in PEM with
    the revocation lists of its issuers, to be fetched anew now and then.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = None
    certificate: Path
    root: Path
    policy: str
    crl: Path | None = None

    @field_validator("url")
    @classmethod
    def _no_plain_http(cls, url: str | None) -> str | None:
        if url is not None and not timestamp.is_private(url):
            raise ValueError("must be https, or http on loopback")
        return url


class Timestamping(BaseModel):
    """How often they are asked at most, and how many must have stamped what auditors take.

    What ends an incident's work, and exports, are stamped at once. Without `quorum` it is two, or
    the one that there is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    minutes: float = Field(default=60.0, ge=1.0)
    quorum: int | None = Field(default=None, ge=1)


@dataclass(frozen=True, slots=True)
class Askable:
    """An authority as it is pinned, and where it is asked; None where it no longer is."""

    pinned: timestamp.Authority
    url: str | None


def authorities(settings: "Settings") -> list[Askable]:
    """Return the authorities of the settings, their files read.

    Raises SettingsError that names the one whose files are missing or are not what they should be.
    """
    # Not above: the settings are made of these terms.
    from playbooks.wiring.settings import config_path

    found, folder = [], config_path().parent
    for name, known in settings.timestamps.items():
        try:
            certificate = (folder / known.certificate).read_bytes()
            root = (folder / known.root).read_bytes()
            crl = (folder / known.crl).read_bytes() if known.crl else b""
            pinned = timestamp.authority(name, certificate, root, known.policy, crl)
        except OSError as error:
            raise SettingsError(
                f"timestamps.{name}: {error.filename} cannot be read: {error.strerror}. Ask the "
                "authority for its certificate and root, and name their files in stanch.toml."
            ) from error
        except TimestampError as error:
            raise SettingsError(f"timestamps.{name}: {error}. Correct stanch.toml.") from error
        found.append(Askable(pinned, known.url))
    return found


def trust(settings: "Settings") -> dict[str, Any]:
    """Return what trust.json says of timestamp authorities; nothing where there are none."""
    listed = [one.pinned.trust() for one in authorities(settings)]
    if not listed:
        return {}
    quorum = settings.timestamping.quorum or min(2, len(listed))
    if quorum > len(listed):
        raise SettingsError(
            f"timestamping.quorum is {quorum}, but [timestamps] names {len(listed)} authorities. "
            "Name more, or ask for fewer."
        )
    return {"timestamp_authorities": listed, "timestamp_quorum": quorum}
