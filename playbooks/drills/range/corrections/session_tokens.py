"""Sessions of a user itself, and of somebody the user vouches for.

STS: GetSessionToken (15 minutes to 36 hours, 12 hours by default; no permission is needed, and no
policy can forbid it), GetFederationToken (a permission of its own; what it may do is what both the
user and the session policy allow; its aws:PrincipalArn is the federated user's). Neither works when
called with temporary credentials. moto gives everybody the same text.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from playbooks.drills.range import keys
from playbooks.drills.range.corrections.sessions import session_policy, told
from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.identity import signer
from playbooks.drills.range.keys import Issued, Principal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

TWELVE_HOURS = 43_200


def session(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """GetSessionToken."""
    caller = _long_term(ground, asked)
    made = _keys(ground, asked)
    principal = Principal(
        kind=caller.kind,
        account=caller.account,
        arn=caller.arn,
        user_id=caller.user_id,
        name=caller.name,
        issued_at=ground.now(),
        mfa=_has_device(ground, asked, caller),
    )
    ground.issued[made.access_key] = Issued(made, principal)
    return {"Credentials": told(made)}


def federation(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """GetFederationToken."""
    caller = _long_term(ground, asked)
    name, made = asked.params["Name"], _keys(ground, asked)
    principal = Principal(
        kind="federated",
        account=caller.account,
        arn=f"arn:aws:sts::{caller.account}:federated-user/{name}",
        user_id=f"{caller.account}:{name}",
        name=name,
        issued_at=ground.now(),
        session_policy=session_policy(ground, asked, caller.account),
        holder=caller.name,
        holder_id=caller.user_id,
    )
    ground.issued[made.access_key] = Issued(made, principal)
    user = {"FederatedUserId": principal.user_id, "Arn": principal.arn}
    return {"Credentials": told(made), "FederatedUser": user, "PackedPolicySize": 0}


def _long_term(ground: Ground, asked: Asked) -> Principal:
    caller = signer(ground, asked)
    if caller.issued_at is not None:
        raise AwsError(
            "AccessDenied", f"Cannot call {asked.operation} with session credentials", 403
        )
    return caller


def _keys(ground: Ground, asked: Asked) -> keys.Credentials:
    lasts = timedelta(seconds=int(asked.params.get("DurationSeconds", TWELVE_HOURS)))
    return keys.make(ground.rng, temporary=True, expires_at=ground.now() + lasts)


def _has_device(ground: Ground, asked: Asked, caller: Principal) -> bool:
    serial = asked.params.get("SerialNumber")
    if not serial:
        return False
    user = ground.iam(caller.account).users.get(caller.name)
    if user is None or serial not in user.mfa_devices or not asked.params.get("TokenCode"):
        raise AwsError("AccessDenied", "MultiFactorAuthentication failed with invalid MFA.", 403)
    return True


CORRECTIONS: Corrections = {
    ("sts", "GetSessionToken"): session,
    ("sts", "GetFederationToken"): federation,
}
