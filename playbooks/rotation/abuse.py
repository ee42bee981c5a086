"""Whether somebody abuses the credential right now, as far as the incident says. Pure."""

from collections.abc import Mapping
from typing import Any

# Findings that tell of a credential in use by somebody else (GuardDuty User Guide, "GuardDuty
# IAM finding types" and "S3 protection finding types", by their first part), not of a risk.
ABUSED = (
    "CredentialAccess:IAMUser/",
    "DefenseEvasion:IAMUser/",
    "Discovery:IAMUser/",
    "Discovery:S3/",
    "Exfiltration:IAMUser/",
    "Exfiltration:S3/",
    "Impact:IAMUser/",
    "Impact:S3/",
    "InitialAccess:IAMUser/",
    "Persistence:IAMUser/",
    "PrivilegeEscalation:IAMUser/",
    "Recon:IAMUser/",
    "Stealth:IAMUser/",
    "UnauthorizedAccess:IAMUser/",
    "UnauthorizedAccess:S3/",
    "AttackSequence:IAM/",
)


def abuse(alert: Mapping[str, Any]) -> str:
    """Return the finding type that tells of active abuse, or "". A sample tells of none."""
    types = alert.get("finding_info", {}).get("types", [])
    if alert.get("metadata", {}).get("is_sample"):
        return ""
    return next((str(t) for t in types if str(t).startswith(ABUSED)), "")
