"""Lists who is assigned which permission set in which account, by IAM Identity Center.

Only the account that administers the instance can list it: the management account, or a delegated
administrator (IAM Identity Center User Guide, "Delegated administration").
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from actions.identity.person import Person
from playbooks.review.details import Known, learn
from playbooks.review.flags import of_grant
from playbooks.review.holding import Right, digest
from playbooks.review.row import Row
from playbooks.review.statements import Granted, statements

PERMISSIONS = (
    "identitystore:DescribeGroup",
    "identitystore:DescribeUser",
    "sso:DescribePermissionSet",
    "sso:GetInlinePolicyForPermissionSet",
    "sso:ListAccountAssignments",
    "sso:ListAccountsForProvisionedPermissionSet",
    "sso:ListInstances",
    "sso:ListManagedPoliciesInPermissionSet",
    "sso:ListPermissionSets",
)
# It is not administered from here, or there is none in this region.
NOT_HERE = ("AccessDeniedException", "AccessDenied", "UnrecognizedClientException")


def assignments(aws: Aws, around: Known) -> Iterator[Row]:
    """Yield a row for each assignment; none where Identity Center is not administered from here.

    When an assignment was last used, and whose it is, no API of it tells.
    """
    try:
        instances = list(_each(aws, "list_instances", "Instances"))
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_HERE:
            raise
        return
    for instance in instances:
        arn = instance["InstanceArn"]

        @cache
        def name(kind: str, id: str, store: str = instance["IdentityStoreId"]) -> str:
            return _name(aws, store, kind, id)

        for held in _each(aws, "list_permission_sets", "PermissionSets", InstanceArn=arn):
            yield from _of_set(aws, around, arn, held, name)


def _of_set(aws: Aws, around: Known, instance: str, held: str, name: Any) -> Iterator[Row]:
    where = {"InstanceArn": instance, "PermissionSetArn": held}
    told: Any = aws.sso_admin.describe_permission_set(**where)["PermissionSet"]
    rights = list(_rights(aws, around, where))
    everything = Granted(tuple(s for r in rights for s in r.grants))
    flags = tuple(dict.fromkeys(f for r in rights for f in of_grant(r, everything)))
    state = {"set": held, "rights": [(r.privilege, r.document) for r in rights]}
    plain = Row("", "", "", None, flags, digest(state))
    accounts = "list_accounts_for_provisioned_permission_set"
    for account in _each(aws, accounts, "AccountIds", **where):
        found = _each(
            aws, "list_account_assignments", "AccountAssignments", **where, AccountId=account
        )
        for one in found:
            kind = one["PrincipalType"]
            who = Person(aws.account, aws.region, instance, kind, one["PrincipalId"])
            yield replace(
                plain,
                principal=who.key,
                privilege=f"assignment/{account}/{held}",
                about={
                    "instance": instance,
                    "set": told["Name"],
                    "name": name(kind, one["PrincipalId"]),
                },
            )


def _rights(aws: Aws, around: Known, where: Any) -> Iterator[Right]:
    managed = "list_managed_policies_in_permission_set"
    for policy in _each(aws, managed, "AttachedManagedPolicies", **where):
        yield learn(aws, around, policy["Arn"])
    text = aws.sso_admin.get_inline_policy_for_permission_set(**where).get("InlinePolicy")
    if text:
        document = json.loads(text)
        yield Right("inline/permission-set", statements(document), document=document)


def _each(aws: Aws, call: Any, name: str, **given: Any) -> Iterator[Any]:
    pages: Any = aws.sso_admin.get_paginator(call)
    for page in pages.paginate(**given):
        yield from page[name]


def _name(aws: Aws, store: str, kind: str, id: str) -> str:
    """Return the name of a user or group of the identity store; nothing where it is gone."""
    try:
        if kind == "USER":
            return str(
                aws.identitystore.describe_user(IdentityStoreId=store, UserId=id)["UserName"]
            )
        group = aws.identitystore.describe_group(IdentityStoreId=store, GroupId=id)
        return str(group["DisplayName"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return ""
