"""How AWS spells the ids that a containment would name."""

import re
from typing import Final

from playbooks.intake.errors import FieldError
from playbooks.intake.printable import printable

# Sources: "AWS account identifiers", "Resource IDs" (EC2), "IAM and AWS STS quotas",
# "IAM identifiers", "Bucket naming rules", "Regions and Zones".
_ROLE_NAME = r"[\w+=,.@-]{1,64}"
_PROFILE_ARN = rf"arn:aws[a-z-]*:iam::\d{{12}}:instance-profile/(\S+/)?{_ROLE_NAME}"
PATTERNS: Final = {
    name: re.compile(pattern, re.ASCII)
    for name, pattern in {
        "account": r"\d{12}",
        "region": r"[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d{1,2}",
        "partition": r"aws(-[a-z]{1,8}){0,3}",
        "finding id": r"[0-9A-Za-z-]{1,64}",
        "finding type": r"[A-Za-z0-9]{1,40}:[A-Za-z0-9]{1,40}/[A-Za-z0-9&.!]{1,80}",
        "instance id": r"i-[0-9a-f]{8,17}",
        "instance profile arn": _PROFILE_ARN,
        "access key id": r"(AKIA|ASIA)[A-Z0-9]{16}",
        "principal id": rf"[A-Z0-9]{{12,128}}(:{_ROLE_NAME})?",
        "user name": r"[\w+=,.@/:<>-]{1,256}",
        "user type": r"[A-Za-z]{1,32}",
        "role name": _ROLE_NAME,
        "bucket name": r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        "resource name": r"[\w+=,.@:/-]{1,512}",
    }.items()
}
# What stands in a dedupe key must not hold its separator.
_KEY_PART = re.compile(r"[0-9A-Za-z-]{1,64}")


def identifier(name: str, text: str, problems: list[str]) -> str:
    """Return `text`, an id of the kind `name`; add to `problems` when AWS would not spell it so.

    An id that is only unusual is kept: the finding should still be understood, by a person.
    Raises HostileTextError when showing it to that person would mislead.
    """
    printable(name, text, limit=1024)
    if not PATTERNS[name].fullmatch(text):
        problems.append(f"{name} {text!a} is not spelled as AWS spells it")
    return text


def key_part(name: str, text: str, problems: list[str]) -> str:
    """Return `text` as `identifier` does; raises FieldError when it cannot stand in a key."""
    identifier(name, text, problems)
    if not _KEY_PART.fullmatch(text):
        raise FieldError(
            f"The finding's {name} is {ascii(text)[:80]}; letters, digits and hyphens were"
            " expected. Send the finding as GuardDuty gave it."
        )
    return text
