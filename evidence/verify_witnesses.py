"""Checks that a quorum of witnesses, named in the trust input, cosigned the ledger's head."""

from evidence import bag
from evidence.cosignature import cosigned
from evidence.errors import EvidenceError
from evidence.policy import parse_policy
from evidence.verify_files import Files
from evidence.verify_report import Report
from evidence.verify_trust import Trust

MAX_NOTE = MAX_POLICY = 1 << 16


def check_witnesses(files: Files, trust: Trust | None, report: Report) -> None:
    """Set `report.witnessed` where the trusted policy is met by cosignatures on the checkpoint.

    The bundle's own policy only tells who was asked; what is needed the trust input says.
    """
    start = len(report.problems)
    if bag.POLICY in files.sizes:
        try:
            parse_policy(files.read(bag.POLICY, MAX_POLICY).decode())
        except (UnicodeDecodeError, EvidenceError) as error:
            report.invalid(bag.POLICY, error)
        report.checked("witness policy form", 1, start)
    if trust is None or trust.policy is None or bag.CHECKPOINT not in files.sizes:
        return
    start = len(report.problems)
    known = trust.policy.witnesses.values()
    try:
        found = cosigned(files.read(bag.CHECKPOINT, MAX_NOTE).decode(), known)
    except UnicodeDecodeError:
        return
    except EvidenceError as error:
        report.invalid(bag.CHECKPOINT, error)
        found = {}
    report.checked("cosignatures of trusted witnesses", len(found), start)
    if not trust.policy.asks:
        report.why_unwitnessed = "unwitnessed: the policy in the trust input asks for no witness"
    elif trust.policy.met(found):
        report.witnessed = True
    else:
        missing = sorted(one.name for one in known if one not in found)
        report.why_unwitnessed = (
            f"unwitnessed: no quorum: {len(found)} trusted witnesses cosigned the checkpoint, not "
            f"{', '.join(missing)}"
        )
