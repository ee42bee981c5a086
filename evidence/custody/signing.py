"""Makes statements of custody and signs them with a person's own key."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from evidence import jws, keys
from evidence.custody.statement import SCHEMA, TYP, check_form, statement_bytes
from evidence.errors import CustodyError
from evidence.jws_token import PublicKey, key_from_jwk
from evidence.leaf import stamp
from evidence.signing.elsewhere import KeyElsewhere


def state(kind: str, case: str, at: datetime, reason: str, **more: Any) -> Mapping[str, Any]:
    """Return a statement of `kind` about the case of this pseudonym; `more` as `MORE` names it.

    Raises:
        CustodyError: when a member is missing, foreign or malformed.
    """
    common = {"schema": SCHEMA, "kind": kind, "case": case, "at": stamp(at), "reason": reason}
    return check_form(common | more)


def sign(
    statement: Mapping[str, Any], name: str, key: ec.EllipticCurvePrivateKey | KeyElsewhere
) -> dict[str, Any]:
    """Return one person's signature over the statement: {"name", "jwk", "token"}.

    Raises:
        CustodyError: when it is no statement. TokenError: when the key cannot sign.
    """
    token = jws.sign(statement_bytes(statement), key, name, TYP)
    public = key.public if isinstance(key, KeyElsewhere) else key.public_key()
    return {"name": name, "jwk": keys.public_jwk(public), "token": token}


def refuse_strangers(body: Mapping[str, Any], people: Mapping[str, PublicKey]) -> None:
    """Check that each signature is made with the key that is known as its signer's.

    Raises:
        CustodyError: for a name that is nobody's, or another key than that person's.
    """
    for signature in body["signatures"]:
        name = signature["name"]
        known = people.get(name)
        if known is None:
            raise CustodyError(
                f"{name} is nobody that is known here, so the signature counts for none"
            )
        if known.public_numbers() != key_from_jwk(signature["jwk"]).public_numbers():
            raise CustodyError(f"the signature of {name} is made with another key than {name}'s")
