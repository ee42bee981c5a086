"""Is all allowed that the plays need: asked of EC2 by DryRun, of IAM by its policy simulator."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from actions.aws.instance import Instance
from playbooks.desk.cli.permissions import beyond_plays, needed
from playbooks.desk.doctor import dry_runs
from playbooks.desk.doctor.dry_runs import Asked
from playbooks.desk.doctor.finding import Finding, bad, ok, warn
from playbooks.desk.doctor.place import Place
from playbooks.respond import plays

# Stands for "any" in an ARN: the simulator wants a name.
ANY = "stanch-doctor"
READS = ("Describe", "Get", "List", "Lookup")


def permissions(place: Place, account: str, region: str) -> Iterator[Finding]:
    """Say which permissions are missing in an account and region, and which nobody can tell."""
    statements = _statements(place, account, region)
    make = place.sessions().maker(account, region)
    asked = [dry_runs.ask(make("ec2"), action) for action in _dry(statements)]
    denied: set[str] | str
    try:
        denied = _simulated(make("iam"), _role(place, account, make("sts")), statements)
    except ClientError as error:
        denied = str(error.response["Error"]["Code"])
    wanted = {a for s in statements for a in s["Action"] if not _reads(a)}
    return iter(judged(account, region, asked, denied, wanted))


def judged(
    account: str, region: str, asked: list[Asked], denied: set[str] | str, wanted: set[str]
) -> list[Finding]:
    """Return what the answers come to.

    `asked` is EC2's, `denied` what IAM's simulator would not allow, or the error's code with which
    it was not to be asked; `wanted` is all that changes something.
    """
    check = f"permissions {account}/{region}"
    do = f"`stanch permissions --account {account} --region {region}` prints what the role needs."
    missing = {one.action for one in asked if one.answer == "missing"}
    allowed = {one.action for one in asked if one.answer == "allowed"}
    known = f"{len(allowed)} EC2 permissions are there (DryRun)"
    found = []
    if isinstance(denied, str):
        unknown = sorted(wanted - missing - allowed)
        found.append(
            warn(
                check,
                f"cannot be checked without doing it: {', '.join(unknown)}",
                f"Allow the role iam:SimulatePrincipalPolicy on itself (answered: {denied}).",
            )
        )
    else:
        missing |= denied
        known += ", and the rest by IAM's simulator"
        unclear = [f"{one.action} ({one.code})" for one in asked if one.answer == "unclear"]
        if unclear:
            what = f"EC2 did not say: {', '.join(sorted(unclear))}"
            found.append(warn(check, what, "IAM's simulator is to be believed."))
    if missing:
        return [bad(check, f"missing: {', '.join(sorted(missing))}", do), *found]
    return [ok(check, known), *found]


def _statements(place: Place, account: str, region: str) -> list[dict[str, Any]]:
    partition = Instance(account, region, "").partition
    document = needed(list(plays.names()), account, region, partition)
    return [*document["Statement"], *beyond_plays(place.settings, account, partition)]


def _dry(statements: list[dict[str, Any]]) -> list[str]:
    return sorted({a for s in statements for a in s["Action"]} & dry_runs.REQUESTS.keys())


def _reads(action: str) -> bool:
    return action.partition(":")[2].startswith(READS)


def _role(place: Place, account: str, sts: Any) -> str:
    """Return the ARN of the role or user whose policies are asked about."""
    if role := place.settings.accounts[account].role:
        return role
    arn = str(sts.get_caller_identity()["Arn"])
    front, _, rest = arn.partition(":assumed-role/")
    # The role's path is not in it; where it has one, IAM says NoSuchEntity.
    return f"{front.replace(':sts:', ':iam:')}:role/{rest.partition('/')[0]}" if rest else arn


def _simulated(iam: Any, role: str, statements: list[dict[str, Any]]) -> set[str]:
    """Return the actions that IAM would not allow. Raises ClientError where it cannot be asked."""
    denied = set()
    for statement in statements:
        resources = statement["Resource"]
        arns = [resources] if isinstance(resources, str) else resources
        answer = iam.simulate_principal_policy(
            PolicySourceArn=role,
            ActionNames=statement["Action"],
            ResourceArns=[arn if arn == "*" else arn.replace("*", ANY) for arn in arns],
            ContextEntries=_context(statement.get("Condition", {})),
        )
        denied |= {
            result["EvalActionName"]
            for result in answer["EvaluationResults"]
            if result["EvalDecision"] != "allowed"
        }
    return denied


def _context(condition: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a request's context that fulfils the conditions of a statement of ours."""
    values: dict[str, list[str]] = {}
    for operator, keys in condition.items():
        for key, wanted in keys.items():
            if operator != "Null":
                values[key] = [wanted] if isinstance(wanted, str) else list(wanted)
            elif wanted == "false":
                values.setdefault(key, [ANY])
    return [
        {
            "ContextKeyName": key,
            "ContextKeyValues": value,
            "ContextKeyType": "stringList" if key == "aws:TagKeys" else "string",
        }
        for key, value in values.items()
    ]
