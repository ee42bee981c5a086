"""Makes an account's rows: its root user, users, roles, groups and assignments."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from actions.aws.clients import Aws
from playbooks.review import details
from playbooks.review.credential_report import ROOT
from playbooks.review.details import Known
from playbooks.review.identity_center import assignments
from playbooks.review.row import Reading, Row, root, rows


def inventory(aws: Aws, around: Known, by: Reading) -> Iterator[Row]:
    """Yield the rows of the account; groups come late, with who is in them."""
    if ROOT in by.report.users:
        yield root(aws.account, by, by.report.users[ROOT])
    members: dict[str, list[str]] = defaultdict(list)
    for held in details.holdings(aws, around):
        for right in held.rights:
            kind, _, name = right.privilege.partition("/")
            if kind == "group":
                members[name].append(held.name)
        yield from rows(held, by)
    for name, group in around.groups.items():
        for row in rows(group, by):
            yield replace(row, about={**row.about, "members": sorted(members[name])})
    yield from assignments(aws, around)
