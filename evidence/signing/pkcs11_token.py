"""Keys in a PKCS #11 token, such as an HSM, by RFC 7512 URI; python-pkcs11 is an extra.

    pkcs11:token=T;object=LABEL?module-path=/ABSOLUTE.so&pin-source=file:/ABSOLUTE

`id` (percent-encoded bytes) may tell one of several objects of a label. The PIN comes from a file
that nobody else can read, never from the URI. Source: PKCS #11 v3.0 (mechanisms ECDSA, EDDSA,
AES_KEY_WRAP). A token of a module is used by one thread at a time.
"""

import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, unquote_to_bytes

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.errors import KeyMaterialError, KeyServiceError
from evidence.key_files import read_closed
from evidence.manifest_values import KEY_WRAP
from evidence.signing.place import Clients, Use

T = TypeVar("T")

MAX_PIN = 1 << 10
HOW = "install it with `pip install stanch[pkcs11]`"

_PATH = re.compile(r"pkcs11:(?P<path>[^?#]+)\?(?P<query>[^?#]+)")
_WANTED = {"token", "object"}
_WHERE = {"module-path", "pin-source"}

_one_at_a_time = threading.RLock()


@dataclass(frozen=True, slots=True)
class TokenKey:
    """One key of one token."""

    token: str
    label: str
    id: bytes
    module: Path
    pin: Path
    # Its AES key wrap is the same as that of a key in memory.
    form: str = KEY_WRAP

    @property
    def name(self) -> str:
        """The key's URI, without where this host has module and PIN."""
        named = f"pkcs11:token={self.token};object={self.label}"
        return named + (f";id={self.id.hex()}" if self.id else "")

    def public(self, use: Use) -> bytes:
        """Check the key, as Place has it."""
        return self._do("read", lambda p11, session: self._checked(p11, session, use))

    def _checked(self, p11: Any, session: Any, use: Use) -> bytes:
        key, has = self._key(p11, session, use), p11.Attribute
        # An imported key never was NEVER_EXTRACTABLE (PKCS #11 v3.0, 4.10).
        if key[has.EXTRACTABLE] or not (key[has.NEVER_EXTRACTABLE] and key[has.SENSITIVE]):
            raise KeyMaterialError(
                f"{self.name} can be extracted, or once could: its bytes may be outside of the "
                "token. Generate a key in it that is sensitive and not extractable"
            )
        if use == "wrap":
            if key[has.VALUE_LEN] != 32 or not (key[has.WRAP] and key[has.UNWRAP]):
                raise KeyMaterialError(f"{self.name} is no AES-256 key that may wrap and unwrap")
            return b""
        point = bytes(self._find(p11, session, p11.ObjectClass.PUBLIC_KEY)[has.EC_POINT])
        # A DER octet string around it; its length tells nothing more.
        public: Any = (
            Ed25519PublicKey.from_public_bytes(point[-32:])
            if use == "log"
            else ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point[-65:])
        )
        encoded: bytes = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return encoded

    def sign(self, use: Use, message: bytes) -> bytes:
        """Sign, as Place has it."""

        def work(p11: Any, session: Any) -> bytes:
            key = self._key(p11, session, use)
            if use == "log":
                return bytes(key.sign(message, mechanism=p11.Mechanism.EDDSA))
            digest = hashlib.sha256(message).digest()
            return bytes(key.sign(digest, mechanism=p11.Mechanism.ECDSA))

        return self._do("sign", work)

    def wrap(self, key: bytes, about: Mapping[str, str]) -> bytes:
        """Wrap by AES key wrap (RFC 3394), which binds to nothing."""

        def work(p11: Any, session: Any) -> bytes:
            has = p11.Attribute
            carried = session.create_object(
                {
                    has.CLASS: p11.ObjectClass.SECRET_KEY,
                    has.KEY_TYPE: p11.KeyType.GENERIC_SECRET,
                    has.VALUE: key,
                    has.TOKEN: False,
                    has.EXTRACTABLE: True,
                }
            )
            wrapping = self._key(p11, session, "wrap")
            return bytes(wrapping.wrap_key(carried, mechanism=p11.Mechanism.AES_KEY_WRAP))

        return self._do("wrap", work)

    def unwrap(self, wrapped: bytes, about: Mapping[str, str]) -> bytes:
        """Unwrap what `wrap` made."""

        def work(p11: Any, session: Any) -> bytes:
            has = p11.Attribute
            try:
                found = self._key(p11, session, "wrap").unwrap_key(
                    p11.ObjectClass.SECRET_KEY,
                    p11.KeyType.GENERIC_SECRET,
                    wrapped,
                    mechanism=p11.Mechanism.AES_KEY_WRAP,
                    template={has.TOKEN: False, has.EXTRACTABLE: True, has.SENSITIVE: False},
                )
            except (
                # SoftHSM says no more than that of an altered one.
                p11.exceptions.GeneralError,
                p11.exceptions.WrappedKeyInvalid,
                p11.exceptions.WrappedKeyLenRange,
            ) as error:
                raise _AlteredError from error
            return bytes(found[has.VALUE])

        try:
            return self._do("unwrap", work)
        except _AlteredError as error:
            raise ValueError(f"{self.name} does not unwrap it") from error

    def _key(self, p11: Any, session: Any, use: Use) -> Any:
        kinds = p11.ObjectClass
        key = self._find(p11, session, kinds.SECRET_KEY if use == "wrap" else kinds.PRIVATE_KEY)
        types = p11.KeyType
        wanted = {"log": types.EC_EDWARDS, "manifest": types.EC, "wrap": types.AES}[use]
        if key.key_type != wanted:
            raise KeyMaterialError(
                f"{self.name} is a key of type {key.key_type.name}; the {use} key must be "
                f"{wanted.name}"
            )
        return key

    def _find(self, p11: Any, session: Any, kind: Any) -> Any:
        return session.get_key(object_class=kind, label=self.label, id=self.id or None)

    def _do(self, what: str, work: Callable[[Any, Any], T]) -> T:
        try:
            import pkcs11
        except ImportError as error:
            raise KeyServiceError(f"{self.name} needs python-pkcs11; {HOW}") from error
        try:
            with _one_at_a_time, self._session(pkcs11) as session:
                return work(pkcs11, session)
        except (pkcs11.exceptions.PKCS11Error, RuntimeError) as error:
            # RuntimeError: the module cannot be loaded, or has not what is asked.
            raise KeyServiceError(
                f"the token does not {what} with {self.name}: {type(error).__name__}. Is it there, "
                f"is the PIN in {self.pin} right, and is there one such key?"
            ) from error

    @contextmanager
    def _session(self, p11: Any) -> Iterator[Any]:
        pin = read_closed(self.pin, MAX_PIN).decode().strip()
        with p11.lib(str(self.module)).get_token(token_label=self.token).open(user_pin=pin) as one:
            yield one


class _AlteredError(Exception):
    pass


def token_key(uri: str, clients: Clients) -> TokenKey:
    """Return the key of a URI; nothing is asked yet. Raise KeyMaterialError for a malformed one."""
    found = _PATH.fullmatch(uri)
    path = _attributes(found["path"], ";") if found else {}
    query = _attributes(found["query"], "&") if found else {}
    if "pin-value" in query:
        # The text of the URI is not told again, for it holds the PIN.
        raise KeyMaterialError("a pkcs11 URI with the PIN in it; name a file by pin-source instead")
    pin = unquote(query.get("pin-source", "")).removeprefix("file:")
    module = unquote(query.get("module-path", ""))
    wanted = path.keys() - {"id"} == _WANTED and query.keys() == _WHERE
    if not wanted or not Path(pin).is_absolute() or not Path(module).is_absolute():
        raise KeyMaterialError(
            # Not told again either: somebody may have put the PIN elsewhere in it.
            "a pkcs11 URI is not pkcs11:token=T;object=LABEL?module-path=/ABSOLUTE.so"
            "&pin-source=file:/ABSOLUTE (RFC 7512)"
        )
    return TokenKey(
        unquote(path["token"]),
        unquote(path["object"]),
        unquote_to_bytes(path.get("id", "")),
        Path(module),
        Path(pin.removeprefix("//")),
    )


def _attributes(text: str, between: str) -> dict[str, str]:
    pairs = [one.partition("=") for one in text.split(between)]
    named = {name: value for name, _, value in pairs}
    return named if len(named) == len(pairs) else {}
