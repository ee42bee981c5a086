"""What the team has said about witnesses: `[witnesses]` and `[witness_policy]` in stanch.toml."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from evidence.cosignature import parse_cosigner
from evidence.errors import NoteError, PolicyError
from evidence.policy import parse_policy

# No name in the settings can be this one.
_ALL = "all/witnesses"


class Witness(BaseModel):
    """A witness that somebody else runs: where it is asked, and the key that `witness init` said.

    `ca` is a PEM file to trust in place of the system's certificates.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    vkey: str
    ca: Path | None = None

    @field_validator("vkey")
    @classmethod
    def _is_a_cosigner(cls, vkey: str) -> str:
        try:
            parse_cosigner(vkey)
        except NoteError as error:
            raise ValueError(f"{error}; it is the line that `witness init` prints") from None
        return vkey


class WitnessPolicy(BaseModel):
    """How many of the witnesses must have cosigned; or a file that says more (C2SP tlog-policy).

    The file names the same witnesses by the same names, in groups and subgroups if need be.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    needed: Literal["all", "any"] | int = Field(default="all")
    file: Path | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "WitnessPolicy":
        if self.file is not None and "needed" in self.model_fields_set:
            raise ValueError("has either needed or file")
        return self


def policy_text(witnesses: dict[str, Witness], policy: WitnessPolicy, log: str) -> str:
    """Return the policy (C2SP tlog-policy) for the log of vkey `log`; empty without witnesses.

    Raises:
        PolicyError: when it is malformed, or the file does not name exactly these witnesses.
        OSError: when the file cannot be read.
    """
    if not witnesses:
        return ""
    if policy.file is not None:
        text = policy.file.read_text(encoding="utf-8")
    else:
        lines = [f"log {log}"]
        lines += [f"witness {name} {one.vkey}" for name, one in witnesses.items()]
        lines += [f"group {_ALL} {policy.needed} {' '.join(witnesses)}", f"quorum {_ALL}"]
        text = "\n".join(lines) + "\n"
    known = {name: parse_cosigner(one.vkey) for name, one in witnesses.items()}
    if dict(parse_policy(text).witnesses) != known:
        raise PolicyError(
            f"{policy.file} does not name exactly the witnesses in [witnesses], by their names"
        )
    return text
