"""A token of SoftHSM2 with the three keys, made once a process: the module is loaded but once."""

import functools
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
MODULE = next((one for one in MODULES if os.path.exists(one)), "")
PIN, TOKEN = "canary-4711", "stanch"


@functools.cache
def token() -> Path:
    """Return the folder with the token and the PIN's file; skip where there is no SoftHSM2."""
    pytest.importorskip("pkcs11", reason="needs python-pkcs11: pip install -e .[pkcs11]")
    if not MODULE:
        pytest.skip("needs SoftHSM2 as the HSM: apt-get install softhsm2")
    made = Path(tempfile.mkdtemp(prefix="stanch-hsm-"))
    (made / "tokens").mkdir()
    config = made / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {made}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(config)
    init = ["softhsm2-util", "--init-token", "--free", "--label", TOKEN]
    subprocess.run([*init, "--pin", PIN, "--so-pin", PIN], check=True, capture_output=True)
    (made / "pin").write_text(f"{PIN}\n")
    (made / "pin").chmod(0o600)
    with opened() as session:
        pair(session, "manifest", "secp256r1")
        pair(session, "log", "1.3.101.112")
        aes(session, "wrap")
    return made


def opened() -> Any:
    """Open a session in which keys are made."""
    import pkcs11

    return pkcs11.lib(MODULE).get_token(token_label=TOKEN).open(user_pin=PIN, rw=True)


def pair(session: Any, label: str, curve: str, **more: Any) -> None:
    """Make a key that signs."""
    import pkcs11
    from pkcs11.util.ec import encode_named_curve_parameters

    edwards = curve == "1.3.101.112"
    kind = pkcs11.KeyType.EC_EDWARDS if edwards else pkcs11.KeyType.EC
    named = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
    how = {"mechanism": pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN} if edwards else {}
    domain = session.create_domain_parameters(kind, named, local=True)
    domain.generate_keypair(label=label, store=True, **how, **more)


def aes(session: Any, label: str, bits: int = 256, **more: Any) -> None:
    """Make a key that wraps."""
    import pkcs11

    may = pkcs11.MechanismFlag.WRAP | pkcs11.MechanismFlag.UNWRAP
    session.generate_key(
        pkcs11.KeyType.AES, bits, label=label, store=True, capabilities=may, **more
    )


def uri(folder: Path, label: str, token: str = TOKEN, pin: str = "pin", module: str = "") -> str:
    """Return a key's URI."""
    where = f"module-path={module or MODULE}&pin-source=file:{folder}/{pin}"
    return f"pkcs11:token={token};object={label}?{where}"
