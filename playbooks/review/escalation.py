"""Ways from what one may do to more than one was given, within IAM. Pure.

Each rule names the actions that together open a way. Known from AWS's guidance on privilege
escalation (IAM User Guide, "Grant permissions to pass a role", "Delegating IAM permissions with
permissions boundaries") and from what each call of the IAM API does by its own reference page.
"""

from dataclasses import dataclass
from functools import lru_cache

from playbooks.review.statements import Granted, Statement, fits

# Where a call runs code, or a machine, with a role that is passed to it.
RUNS_AS = {
    "ec2": ("ec2:RunInstances",),
    "lambda": ("lambda:CreateFunction", "lambda:InvokeFunction"),
    "lambda event": ("lambda:CreateFunction", "lambda:CreateEventSourceMapping"),
    "cloudformation": ("cloudformation:CreateStack",),
    "glue": ("glue:CreateDevEndpoint",),
    "glue job": ("glue:CreateJob", "glue:StartJobRun"),
    "sagemaker": (
        "sagemaker:CreateNotebookInstance",
        "sagemaker:CreatePresignedNotebookInstanceUrl",
    ),
    "codebuild": ("codebuild:CreateProject", "codebuild:StartBuild"),
    "ecs": ("ecs:RegisterTaskDefinition", "ecs:RunTask"),
    "datapipeline": ("datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"),
    "states": ("states:CreateStateMachine", "states:StartExecution"),
    "ssm": ("ssm:StartAutomationExecution",),
    "scheduler": ("scheduler:CreateSchedule",),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A way: its name, and the actions that it takes."""

    name: str
    actions: tuple[str, ...]


RULES = (
    Rule("rewrites a policy in use", ("iam:CreatePolicyVersion",)),
    Rule("takes an older version of a policy", ("iam:SetDefaultPolicyVersion",)),
    Rule("attaches a policy to a user", ("iam:AttachUserPolicy",)),
    Rule("attaches a policy to a group", ("iam:AttachGroupPolicy",)),
    Rule("attaches a policy to a role and assumes it", ("iam:AttachRolePolicy", "sts:AssumeRole")),
    Rule("writes a policy of a user", ("iam:PutUserPolicy",)),
    Rule("writes a policy of a group", ("iam:PutGroupPolicy",)),
    Rule("writes a policy of a role and assumes it", ("iam:PutRolePolicy", "sts:AssumeRole")),
    Rule("joins a group", ("iam:AddUserToGroup",)),
    Rule("makes keys of others", ("iam:CreateAccessKey",)),
    Rule("makes a password of others", ("iam:CreateLoginProfile",)),
    Rule("changes a password of others", ("iam:UpdateLoginProfile",)),
    Rule("makes credentials for a service", ("iam:CreateServiceSpecificCredential",)),
    Rule("changes whom a role trusts", ("iam:UpdateAssumeRolePolicy", "sts:AssumeRole")),
    Rule("takes a boundary off a user", ("iam:DeleteUserPermissionsBoundary",)),
    Rule("takes a boundary off a role", ("iam:DeleteRolePermissionsBoundary",)),
    Rule("changes code that runs as a role", ("lambda:UpdateFunctionCode",)),
    Rule("runs commands on hosts", ("ssm:SendCommand",)),
    Rule("opens sessions on hosts", ("ssm:StartSession",)),
    *(
        Rule(f"passes a role to {where}", ("iam:PassRole", *actions))
        for where, actions in RUNS_AS.items()
    ),
)
# These are harmless on oneself: they open a way only where others may be named.
ON_OTHERS = {
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
    "iam:CreateServiceSpecificCredential",
}


# Whose resources a service's actions are on, besides its own.
ELSEWHERE = {"sts": ("iam",), "ssm": ("ec2",), "ecs": ("iam",)}
_ALL = frozenset(action for rule in RULES for action in rule.actions)


def held(granted: Granted) -> frozenset[str]:
    """Return which of the rules' actions are allowed, on others where that is what matters."""
    found = _allowed(granted.statements)
    if granted.boundary is not None:
        found &= _allowed(granted.boundary)
    on_oneself = {a for a in found & ON_OTHERS if not any(map(_names_others, granted.on(a)))}
    return found - on_oneself


@lru_cache(maxsize=4096)
def ways(actions: frozenset[str]) -> tuple[str, ...]:
    """Return the names of the ways that these actions open, in the order of the rules."""
    return tuple(r.name for r in RULES if actions.issuperset(r.actions))


def opened_by(everything: frozenset[str], some: frozenset[str]) -> tuple[str, ...]:
    """Return the ways that all actions of somebody open, and that some of them are needed for."""
    return tuple(
        r.name for r in RULES if everything.issuperset(r.actions) and some.intersection(r.actions)
    )


def _allowed(statements: tuple[Statement, ...]) -> frozenset[str]:
    allowed: set[str] = set()
    denied: set[str] = set()
    for one in statements:
        if one.allows:
            allowed |= _named(one)
        elif one.everywhere and not one.conditional:
            denied |= _named(one)
    return frozenset(allowed - denied)


@lru_cache(maxsize=8192)
def _named(statement: Statement) -> frozenset[str]:
    return frozenset(a for a in _ALL if statement.names(a) and _reaches(statement, a))


def _reaches(statement: Statement, action: str) -> bool:
    """Return whether a statement names any resource of the kind that the action is on."""
    if statement.resources is None or not statement.allows:
        return True
    service = action.partition(":")[0]
    services = {service, *ELSEWHERE.get(service, ())}
    for pattern in statement.resources:
        parts = pattern.split(":", 5)
        if len(parts) < 6 or any(fits(parts[2], name) for name in services):
            return True
    return False


def _names_others(pattern: str) -> bool:
    """Return whether a resource pattern reaches past the one who calls."""
    return "${aws:username}" not in pattern.lower()
