"""Policies are evaluated as IAM does it (IAM: Policy evaluation logic, Condition operators)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.policy import Policies, Request, Verdict, decide

ALLOW, DENY, NOTHING = Verdict.ALLOW, Verdict.EXPLICIT_DENY, Verdict.IMPLICIT_DENY


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def says(effect="Allow", action="*", resource="*", **rest):
    return {"Effect": effect, "Action": action, "Resource": resource, **rest}


EVERYTHING = document(says())
READ = document(says(action="s3:Get*"))
NO_DELETE = document(says("Deny", "s3:Delete*"))


# Each row is a sentence of IAM's evaluation pages, in our words.
@pytest.mark.parametrize(
    ("why", "action", "policies", "verdict"),
    [
        ("nothing said is a no", "s3:GetObject", Policies(), NOTHING),
        ("one allow is enough", "s3:GetObject", Policies((READ,)), ALLOW),
        ("an allow is only for what it names", "s3:PutObject", Policies((READ,)), NOTHING),
        ("a deny beats any allow", "s3:DeleteObject", Policies((EVERYTHING, NO_DELETE)), DENY),
        ("and in any order", "s3:DeleteObject", Policies((NO_DELETE, EVERYTHING)), DENY),
        ("a deny elsewhere does not matter", "s3:GetObject", Policies((READ, NO_DELETE)), ALLOW),
        ("a boundary grants nothing", "s3:GetObject", Policies(boundary=EVERYTHING), NOTHING),
        ("a boundary must allow too", "ec2:RunInstances", Policies((EVERYTHING,), READ), NOTHING),
        ("both allow", "s3:GetObject", Policies((EVERYTHING,), READ), ALLOW),
        ("a boundary can deny", "s3:DeleteObject", Policies((EVERYTHING,), NO_DELETE), DENY),
        ("a session policy only narrows", "s3:GetObject", Policies((), None, READ), NOTHING),
        ("it must allow too", "s3:PutObject", Policies((EVERYTHING,), None, READ), NOTHING),
        ("all three allow", "s3:GetObject", Policies((READ,), EVERYTHING, READ), ALLOW),
        (
            "an SCP grants nothing",
            "s3:GetObject",
            Policies(scps=((EVERYTHING,),)),
            NOTHING,
        ),
        (
            "every level of the organisation must allow",
            "ec2:RunInstances",
            Policies((EVERYTHING,), scps=((EVERYTHING,), (READ,))),
            NOTHING,
        ),
        (
            "several SCPs of one level add up",
            "s3:GetObject",
            Policies((EVERYTHING,), scps=((READ, NO_DELETE),)),
            ALLOW,
        ),
        (
            "an SCP's deny is final",
            "s3:DeleteObject",
            Policies((EVERYTHING,), scps=((EVERYTHING, NO_DELETE),)),
            DENY,
        ),
        ("root needs no policy", "iam:CreateUser", Policies(is_root=True), ALLOW),
        (
            "but an SCP binds a member account's root",
            "s3:DeleteObject",
            Policies(is_root=True, scps=((EVERYTHING, NO_DELETE),)),
            DENY,
        ),
    ],
)
def test_layers(why, action, policies, verdict):
    assert decide(Request(action), policies) is verdict, why


@pytest.mark.parametrize(
    ("statement", "request_", "applies"),
    [
        (says(action="EC2:describe*"), Request("ec2:DescribeInstances"), True),
        (says(action="ec2:Describe?nstances"), Request("ec2:DescribeInstances"), True),
        (says(action=["s3:*", "ec2:Stop*"]), Request("ec2:StopInstances"), True),
        (says(action="ec2:Describe"), Request("ec2:DescribeInstances"), False),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, Request("ec2:Run"), True),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, Request("iam:X"), False),
        (
            {"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::logs/*"},
            Request("s3:GetObject", "arn:aws:s3:::logs/a"),
            False,
        ),
        (
            says(resource="arn:aws:s3:::data/*"),
            Request("s3:GetObject", "arn:aws:s3:::data/a/b"),
            True,
        ),
        (
            says(resource="arn:aws:s3:::Data/*"),
            Request("s3:GetObject", "arn:aws:s3:::data/a"),
            False,
        ),
        (
            says(resource="arn:aws:s3:::home/${aws:username}/*"),
            Request("s3:Get", "arn:aws:s3:::home/ann/x", {"aws:username": ("ann",)}),
            True,
        ),
        (
            says(resource="arn:aws:s3:::home/${aws:username}/*"),
            Request("s3:Get", "arn:aws:s3:::home/bob/x", {"aws:username": ("ann",)}),
            False,
        ),
        (
            says(resource="arn:aws:s3:::home/${aws:username}/*"),
            Request("s3:Get", "arn:aws:s3:::home//x"),
            False,
        ),
        (
            says(resource="arn:aws:s3:::${aws:username, 'anyone'}"),
            Request("s3:Get", "arn:aws:s3:::anyone"),
            True,
        ),
        (says(resource="a${*}b"), Request("s3:Get", "a*b"), True),
        (says(resource="a${*}b"), Request("s3:Get", "axb"), False),
        # A wildcard that a user smuggles into a variable is no wildcard.
        (
            says(resource="x/${aws:username}"),
            Request("a:b", "x/y", {"aws:username": ("*",)}),
            False,
        ),
    ],
)
def test_actions_resources_and_variables(statement, request_, applies):
    verdict = decide(request_, Policies((document(statement),)))
    assert verdict is (ALLOW if applies else NOTHING)


INSTANCE = "arn:aws:ec2:eu-west-1:111122223333:instance/i-0a"


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"StringEquals": {"aws:a": ["x", "y"]}}, {"aws:a": ("y",)}, True),
        ({"StringEquals": {"AWS:A": "x"}}, {"aws:a": ("x",)}, True),
        ({"StringEquals": {"aws:a": "X"}}, {"aws:a": ("x",)}, False),
        ({"StringEqualsIgnoreCase": {"aws:a": "X"}}, {"aws:a": ("x",)}, True),
        ({"StringNotEquals": {"aws:a": ["x", "y"]}}, {"aws:a": ("y",)}, False),
        ({"StringNotEquals": {"aws:a": "x"}}, {}, True),
        ({"StringEquals": {"aws:a": "x"}}, {}, False),
        ({"StringEqualsIfExists": {"aws:a": "x"}}, {}, True),
        ({"StringEqualsIfExists": {"aws:a": "x"}}, {"aws:a": ("y",)}, False),
        ({"StringLike": {"aws:a": "ir-*"}}, {"aws:a": ("ir-7",)}, True),
        ({"StringEquals": {"aws:a": "ir-*"}}, {"aws:a": ("ir-7",)}, False),
        ({"StringNotLike": {"aws:a": "ir-*"}}, {"aws:a": ("ir-7",)}, False),
        ({"ArnEquals": {"ec2:SourceInstanceARN": INSTANCE}},
         {"ec2:sourceinstancearn": (INSTANCE,)}, True),
        ({"ArnLike": {"ec2:SourceInstanceARN": "arn:aws:ec2:*:*:instance/*"}},
         {"ec2:sourceinstancearn": (INSTANCE,)}, True),
        # A wildcard does not reach over a colon: region and account are parts of their own.
        ({"ArnLike": {"ec2:SourceInstanceARN": "arn:aws:ec2:*:instance/*"}},
         {"ec2:sourceinstancearn": (INSTANCE,)}, False),
        ({"ArnEquals": {"ec2:SourceInstanceARN": INSTANCE}}, {}, False),
        ({"ArnNotEquals": {"ec2:SourceInstanceARN": INSTANCE}}, {}, True),
        ({"DateLessThan": {"aws:TokenIssueTime": "2026-11-23T10:00:00Z"}},
         {"aws:tokenissuetime": ("2026-11-23T09:59:59+00:00",)}, True),
        ({"DateLessThan": {"aws:TokenIssueTime": "2026-11-23T10:00:00Z"}},
         {"aws:tokenissuetime": ("2026-11-23T10:00:00+00:00",)}, False),
        ({"DateLessThan": {"aws:TokenIssueTime": "2026-11-23T10:00:00Z"}}, {}, False),
        ({"DateGreaterThanEquals": {"aws:CurrentTime": "1700000000"}},
         {"aws:currenttime": ("2026-01-01T00:00:00Z",)}, True),
        ({"Bool": {"aws:SecureTransport": False}}, {"aws:securetransport": ("true",)}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, {"aws:securetransport": ("true",)}, True),
        ({"NumericLessThanEquals": {"aws:n": "10"}}, {"aws:n": ("9",)}, True),
        ({"NumericLessThanEquals": {"aws:n": "10"}}, {"aws:n": ("nine",)}, False),
        ({"NumericNotEquals": {"aws:n": 10}}, {"aws:n": ("10",)}, False),
        ({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"]}},
         {"aws:sourceip": ("2001:db8::7",)}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"aws:sourceip": ("11.0.0.1",)}, False),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"aws:sourceip": ("11.0.0.1",)}, True),
        ({"Null": {"aws:TokenIssueTime": "true"}}, {}, True),
        ({"Null": {"aws:TokenIssueTime": "false"}}, {}, False),
        ({"BinaryEquals": {"aws:b": "QQ=="}}, {"aws:b": ("QQ==",)}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}},
         {"aws:tagkeys": ("a", "b")}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}},
         {"aws:tagkeys": ("a", "c")}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, {}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}, {"aws:tagkeys": ("c", "a")}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}, {}, False),
        ({"StringEquals": {"aws:a": "${aws:username}"}},
         {"aws:a": ("ann",), "aws:username": ("ann",)}, True),
        ({"StringEquals": {"aws:a": "x", "aws:b": "y"}}, {"aws:a": ("x",), "aws:b": ("z",)}, False),
        ({"StringEquals": {"aws:a": "x"}, "Null": {"aws:b": "true"}}, {"aws:a": ("x",)}, True),
    ],
)  # fmt: skip
def test_conditions(condition, context, holds):
    policies = Policies((document(says(Condition=condition)),))
    assert decide(Request("a:b", "*", context), policies) is (ALLOW if holds else NOTHING)


@pytest.mark.parametrize("operator", ["StringEqual", "ForSomeValues:StringEquals", "DateBefore"])
def test_an_operator_that_iam_does_not_have_is_an_error_and_not_a_no(operator):
    policies = Policies((document(says(Condition={operator: {"aws:a": "x"}})),))
    with pytest.raises(AwsError, match="Invalid Condition type"):
        decide(Request("a:b", "*", {"aws:a": ("x",)}), policies)


ACTIONS = st.sampled_from(
    ["s3:GetObject", "s3:PutObject", "ec2:StopInstances", "iam:PutRolePolicy"]
)
PATTERNS = st.sampled_from(["*", "s3:*", "s3:Get*", "ec2:*", "iam:Put?olePolicy", "ec2:Stop*"])
CONDITIONS = st.sampled_from(
    [
        {},
        {"StringEquals": {"aws:a": "x"}},
        {"StringNotEquals": {"aws:a": "x"}},
        {"Null": {"aws:a": "true"}},
        {"ArnEquals": {"ec2:SourceInstanceARN": INSTANCE}},
    ]
)
STATEMENTS = st.builds(
    lambda effect, element, pattern, condition: {
        "Effect": effect,
        element: pattern,
        "Resource": "*",
        "Condition": condition,
    },
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(["Action", "NotAction"]),
    st.lists(PATTERNS, min_size=1, max_size=2),
    CONDITIONS,
)
DOCUMENTS = st.builds(lambda s: document(*s), st.lists(STATEMENTS, max_size=3))
POLICIES = st.builds(
    Policies,
    st.lists(DOCUMENTS, max_size=3).map(tuple),
    st.none() | DOCUMENTS,
    st.none() | DOCUMENTS,
    st.lists(st.lists(DOCUMENTS, min_size=1, max_size=2).map(tuple), max_size=2).map(tuple),
    st.booleans(),
)
REQUESTS = st.builds(
    Request,
    ACTIONS,
    st.just("*"),
    st.fixed_dictionaries(
        {},
        optional={
            "aws:a": st.sampled_from([("x",), ("y",)]),
            "ec2:sourceinstancearn": st.just((INSTANCE,)),
        },
    ),
)


def with_identity(policies, *documents):
    return Policies(
        (*policies.identity, *documents),
        policies.boundary,
        policies.session,
        policies.scps,
        policies.is_root,
    )


@given(REQUESTS, POLICIES, STATEMENTS)
def test_adding_a_deny_never_grants(request_, policies, statement):
    denied = with_identity(policies, document({**statement, "Effect": "Deny"}))
    if decide(request_, policies) is not ALLOW:
        assert decide(request_, denied) is not ALLOW


@given(REQUESTS, POLICIES, STATEMENTS)
def test_adding_an_allow_never_denies(request_, policies, statement):
    allowed = with_identity(policies, document({**statement, "Effect": "Allow"}))
    if decide(request_, policies) is ALLOW:
        assert decide(request_, allowed) is ALLOW
    if decide(request_, policies) is DENY:
        assert decide(request_, allowed) is DENY


@given(REQUESTS, POLICIES, DOCUMENTS)
def test_a_boundary_or_a_level_of_scps_never_grants(request_, policies, more):
    bounded = Policies(policies.identity, more, policies.session, policies.scps, policies.is_root)
    unbounded = Policies(policies.identity, None, policies.session, policies.scps, policies.is_root)
    deeper = Policies(
        policies.identity,
        policies.boundary,
        policies.session,
        (*policies.scps, (more,)),
        policies.is_root,
    )
    if decide(request_, unbounded) is not ALLOW:
        assert decide(request_, bounded) is not ALLOW
    if decide(request_, policies) is not ALLOW:
        assert decide(request_, deeper) is not ALLOW


@given(REQUESTS, POLICIES, st.randoms())
def test_the_order_of_policies_and_statements_does_not_matter(request_, policies, rng):
    def shuffled(items):
        return tuple(rng.sample(list(items), len(items)))

    mixed = Policies(
        shuffled([document(*shuffled(d["Statement"])) for d in policies.identity]),
        policies.boundary,
        policies.session,
        shuffled(policies.scps),
        policies.is_root,
    )
    assert decide(request_, mixed) is decide(request_, policies)
