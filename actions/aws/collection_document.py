"""The one document that Stanch lets Systems Manager run on a host, and what stands around it.

A document is a text that an account's administrator puts there once (`stanch collection`), so that
a command brings no code along: only where to upload, whose bucket that is, and the SHA-256 that the
collecting script must have. Source: AWS Systems Manager User Guide, "Command document plugin
reference" (aws:runShellScript) and "Data elements and parameters" (schema version 2.2).
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

NAME = "Stanch-CollectVolatile"
# In the bucket of that account and region alone; an ARN pattern has the same three places open.
BUCKET = "stanch-collection-{account}-{region}"
PREFIX = "volatile/"

# Seconds: until a command that no agent took is dropped (SendCommand's least), and until the agent
# ends the script. The address to upload to outlives both by little.
DELIVERY = 30
EXECUTION = 60
ADDRESS = DELIVERY + EXECUTION + 30
# Bytes of output that are uploaded at most.
MOST = 64 << 20

# No quote, space, dollar or backslash gets into the shell's text. Plain HTTP is the practice range.
_UPLOAD = r"^(https://|http://127\.0\.0\.1:)[A-Za-z0-9._~:/?&=%+-]{1,4000}$"


@cache
def script() -> str:
    """Return the collecting script; `script_sha256` is over its UTF-8 bytes."""
    return Path(__file__).with_name("collect_volatile.sh").read_text("utf-8")


@cache
def script_sha256() -> str:
    """Return the SHA-256, in hex, that the host must find before it runs the script."""
    return hashlib.sha256(script().encode()).hexdigest()


def bucket_of(account: str, region: str) -> str:
    """Return the name of the bucket that hosts of this account and region upload to."""
    return BUCKET.format(account=account, region=region)


def document() -> dict[str, Any]:
    """Return the document as JSON values."""
    parameters = {
        "Upload": ("A pre-signed address for one PUT of one new object.", _UPLOAD),
        "Owner": ("The account that the bucket must belong to.", "^[0-9]{12}$"),
        "ScriptSha256": ("The SHA-256 of the collecting script.", "^[0-9a-f]{64}$"),
    }
    return {
        "schemaVersion": "2.2",
        "description": "Stanch: collect the volatile state of a Linux host, hash and upload it.",
        "parameters": {
            name: {"type": "String", "description": says, "allowedPattern": pattern}
            for name, (says, pattern) in parameters.items()
        },
        "mainSteps": [
            {
                "action": "aws:runShellScript",
                "name": "collect",
                "precondition": {"StringEquals": ["platformType", "Linux"]},
                "inputs": {"timeoutSeconds": str(EXECUTION), "runCommand": _command()},
            }
        ],
    }


def text() -> str:
    """Return the document as an administrator hands it to CreateDocument."""
    return json.dumps(document(), indent=1)


def _command() -> list[str]:
    """Return the lines that check the script, run it, hash what came, and upload it.

    Lines to standard output that begin with `stanch:` are the report. The address goes to curl by
    standard input: a command line can be read by every user of a host. If-None-Match lets nobody
    overwrite what was uploaded (Amazon S3 User Guide, "Conditional writes").
    """
    return [
        "umask 077",
        # In memory where there is room: what is written to a disk may overwrite deleted files.
        'd=$(mktemp -d "${TMPDIR:-/dev/shm}/stanch.XXXXXX" 2>/dev/null || mktemp -d) || exit 70',
        "trap 'rm -rf \"$d\"' EXIT",
        "cat > \"$d/script\" <<'STANCH_SCRIPT_ENDS'",
        *script().splitlines(),
        "STANCH_SCRIPT_ENDS",
        "for tool in sha256sum curl head; do",
        '  command -v "$tool" >/dev/null 2>&1 || { echo "stanch: missing=$tool"; exit 69; }',
        "done",
        'have=$(sha256sum < "$d/script" | cut -d" " -f1)',
        'echo "stanch: script_sha256=$have"',
        "[ \"$have\" = '{{ ScriptSha256 }}' ] || exit 65",
        f'/bin/sh "$d/script" 3> "$d/report" | head -c {MOST} > "$d/out"',
        'sed "s/^/stanch: /" "$d/report"',
        'echo "stanch: size=$(wc -c < "$d/out" | tr -d " ")"',
        'echo "stanch: sha256=$(sha256sum < "$d/out" | cut -d" " -f1)"',
        "printf 'url = \"%s\"\\n' '{{ Upload }}' |",
        "  curl --silent --output /dev/null --write-out 'stanch: upload=%{http_code}\\n' \\",
        "    --max-time 30 --header 'If-None-Match: *' --header 'Expect:' \\",
        "    --header 'x-amz-expected-bucket-owner: {{ Owner }}' --fail \\",
        '    --upload-file "$d/out" --config -',
    ]
