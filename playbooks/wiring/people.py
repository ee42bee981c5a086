"""Who is who: a person is a key, and the settings say whose it is."""

import os
import stat
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from evidence import jws, keys
from evidence.errors import EvidenceError
from playbooks.errors import ApprovalError, SettingsError
from playbooks.wiring.settings import Settings


def make(path: Path) -> dict[str, str]:
    """Make a person's key in a new file (0600) and return the public half as a JWK."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    except FileExistsError:
        raise SettingsError(f"{path} exists; keys are never overwritten. Choose another.") from None
    return keys.public_jwk(key.public_key())


def _load(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return a person's key. Its folder may be anybody's to read, such as a home folder."""
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise SettingsError(f"{path} is open to others (mode {mode:04o}); chmod 600 {path}")
        material = file.read(keys.MAX_KEY_FILE)
    try:
        key = serialization.load_pem_private_key(material, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise SettingsError(f"{path} is no key of a person. Expected what `stanch person` wrote.")
    return key


def known(settings: Settings) -> dict[str, Any]:
    """Return the public keys of the people in the settings, by name.

    Raises SettingsError for a key that is none, or that two names share.
    """
    found: dict[str, Any] = {}
    whose: dict[Any, str] = {}
    for name, jwk in settings.people.items():
        try:
            key = jws.key_from_jwk(jwk)
        except EvidenceError as error:
            raise SettingsError(
                f"people.{name} in stanch.toml: {error}. Expected what `stanch person` printed."
            ) from None
        numbers = key.public_numbers()
        if (other := whose.setdefault(numbers, name)) != name:
            # Else one person could ask under one name and answer under the other.
            raise SettingsError(
                f"people.{name} and people.{other} in stanch.toml have the same key. "
                "Each person needs a key of their own: `stanch person`."
            )
        found[name] = key
    return found


def who(settings: Settings, path: Path) -> tuple[str, Any]:
    """Return whose key this is, and the key. Raise ApprovalError when it is nobody's."""
    key = _load(path)
    public = key.public_key().public_numbers()
    for name, one in known(settings).items():
        if one.public_numbers() == public:
            return name, key
    raise ApprovalError(
        f"{path} is the key of nobody under [people] in stanch.toml. "
        "Add what `stanch person` printed when it was made."
    )
