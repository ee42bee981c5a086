"""The credential report is of when it was made, and is made at most every four hours.

IAM User Guide, "Generate credential reports": the report's columns, the row <root_account>, "as
often as once every four hours"; IAM: GenerateCredentialReport, GetCredentialReport with its errors
ReportNotPresent and ReportExpired. moto's is always of now and dated 2015.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

LASTS = 4 * 3600.0
KEY = "active last_rotated last_used_date last_used_region last_used_service"
COLUMNS = [
    *("user", "arn", "user_creation_time", "password_enabled", "password_last_used"),
    *("password_last_changed", "password_next_rotation", "mfa_active"),
    *(f"access_key_{n}_{name}" for n in (1, 2) for name in KEY.split()),
    *(f"cert_{n}_{name}" for n in (1, 2) for name in ("active", "last_rotated")),
]
NONE = "N/A"


def generate(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """GenerateCredentialReport."""
    made = ground.reports.get(asked.account)
    if made is not None and ground.seconds() - made[0] < LASTS:
        return {"State": "COMPLETE"}
    iam = ground.iam(asked.account)
    rows = [_root(asked.account), *(_row(ground, user) for user in iam.users.values())]
    text = "\n".join(",".join(row[c] for c in COLUMNS) for row in rows)
    ground.reports[asked.account] = (ground.seconds(), f"{','.join(COLUMNS)}\n{text}")
    return {"State": "STARTED", "Description": "No report exists. Starting a new report."}


def get(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """GetCredentialReport."""
    made = ground.reports.get(asked.account)
    if made is None:
        raise AwsError("ReportNotPresent", "No report exists.", 410)
    if ground.seconds() - made[0] >= LASTS:
        raise AwsError("ReportExpired", "The report is more than four hours old.", 410)
    when = ground.at(made[0])
    return {"Content": made[1].encode(), "ReportFormat": "text/csv", "GeneratedTime": when}


def _root(account: str) -> dict[str, str]:
    row = dict.fromkeys(COLUMNS, NONE)
    row |= {column: "false" for column in COLUMNS if column.endswith("_active")}
    row |= {"user": "<root_account>", "arn": f"arn:aws:iam::{account}:root"}
    return row | {"password_enabled": "not_supported", "password_last_used": "no_information"}


def _row(ground: Ground, user: Any) -> dict[str, str]:
    made = ground.kept.logins.get((user.account_id, user.name), user.create_date)
    has_password = bool(user.password)
    row = dict.fromkeys(COLUMNS, NONE) | {
        "user": user.name,
        "arn": user.arn,
        "user_creation_time": _time(user.create_date),
        "password_enabled": _flag(has_password),
        "password_last_used": "no_information" if has_password else NONE,
        "password_last_changed": _time(made) if has_password else NONE,
        "mfa_active": _flag(bool(user.mfa_devices)),
    }
    for n in (1, 2):
        row |= {f"access_key_{n}_active": "false", f"cert_{n}_active": "false"}
    for n, key in enumerate(user.access_keys, 1):
        row[f"access_key_{n}_active"] = _flag(key.status == "Active")
        row[f"access_key_{n}_last_rotated"] = _time(key.create_date)
        if key.last_used is not None:
            row[f"access_key_{n}_last_used_date"] = _time(key.last_used.timestamp)
            row[f"access_key_{n}_last_used_region"] = key.last_used.region
            row[f"access_key_{n}_last_used_service"] = key.last_used.service
    for n, certificate in enumerate(user.signing_certificates.values(), 1):
        row[f"cert_{n}_active"] = _flag(certificate.status == "Active")
        row[f"cert_{n}_last_rotated"] = _time(certificate.upload_date)
    return row


def _flag(holds: bool) -> str:
    return "true" if holds else "false"


def _time(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%S+00:00"))


CORRECTIONS: Corrections = {
    ("iam", "GenerateCredentialReport"): generate,
    ("iam", "GetCredentialReport"): get,
}
