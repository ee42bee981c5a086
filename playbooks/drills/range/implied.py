"""A user who names no user means itself.

IAM API: "If you do not specify a user name, IAM determines the user name implicitly based on the
access key ID signing the request" (CreateAccessKey, GetUser, ListAccessKeys and the others here).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from playbooks.drills.range import wire

if TYPE_CHECKING:
    from playbooks.drills.range.keys import Principal
    from playbooks.drills.range.wire import Asked

MEANS_ONESELF = {
    *("CreateAccessKey", "DeleteAccessKey", "ListAccessKeys", "UpdateAccessKey"),
    *("DeleteServiceSpecificCredential", "ListServiceSpecificCredentials"),
    *("ResetServiceSpecificCredential", "UpdateServiceSpecificCredential"),
    *("DeleteSigningCertificate", "ListSigningCertificates"),
    *("UpdateSigningCertificate", "UploadSigningCertificate"),
    *("GetUser", "ListMFADevices", "ListSSHPublicKeys"),
    *("CreateLoginProfile", "DeleteLoginProfile", "GetLoginProfile"),
}


def completed(asked: Asked, principal: Principal) -> Asked:
    """The request with the caller's own name where it left out whose key or user it means."""
    oneself = (
        asked.service == "iam"
        and principal.kind == "user"
        and asked.operation in MEANS_ONESELF
        and not asked.params.get("UserName")
        and not asked.params.get("AllUsers")
    )
    if not oneself:
        return asked
    made = wire.changed(asked, {**asked.params, "UserName": principal.name})
    return replace(made, source_ip=asked.source_ip, user_agent=asked.user_agent)
