"""Ways from what one may do to more than one was given, within IAM. Pure.

Each rule names the actions that together open a way. Known from AWS's guidance on privilege
escalation (IAM User Guide, "Grant permissions to pass a role", "Delegating IAM permissions with
permissions boundaries") and from what each call of the IAM API does by its own reference page.
"""

from collections.abc import Callable
from dataclasses import dataclass

from playbooks.review.statements import Granted

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


def ways(granted: Granted) -> tuple[str, ...]:
    """Return the names of the ways that are open, in the order of the rules."""
    return tuple(r.name for r in RULES if all(_open(granted, action) for action in r.actions))


def _open(granted: Granted, action: str) -> bool:
    if not granted.may(action):
        return False
    return action not in ON_OTHERS or any(_names_others(p) for p in granted.on(action))


def _names_others(pattern: str) -> bool:
    """Return whether a resource pattern reaches past the one who calls."""
    return "${aws:username}" not in pattern.lower()


def opened_by(granted: Granted, has: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the ways that are open and of which this grant holds an action (`has` says so)."""
    return tuple(
        r.name
        for r in RULES
        if any(has(a) for a in r.actions) and all(_open(granted, a) for a in r.actions)
    )
