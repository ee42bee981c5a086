"""Condition operators of IAM policies (IAM: Policy elements: Condition operators)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from operator import eq, ge, gt, le, lt
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.patterns import Values, arn_matches, filled, matches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    # (policy value, request value, context) -> whether this pair fits
    Test = Callable[[str, str, Mapping[str, Values]], bool]


def holds(block: Mapping[str, Any], context: Mapping[str, Values]) -> bool:
    """Whether every operator and every key of a Condition block holds (they are ANDed).

    `context` maps lower-case condition keys to the request's values; an absent key is not in it.
    Raises AwsError MalformedPolicyDocument for an operator IAM does not have.
    """
    return all(
        _operator_holds(operator, key, wanted, context)
        for operator, keys in block.items()
        for key, wanted in keys.items()
    )


def listed(value: Any) -> list[Any]:
    """A policy element as a list: IAM lets a single value stand for a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _operator_holds(operator: str, key: str, wanted: Any, context: Mapping[str, Values]) -> bool:
    quantifier, _, rest = operator.rpartition(":")
    if_exists = rest.endswith("IfExists")
    name = rest.removesuffix("IfExists")
    values = context.get(key.lower())
    policy = [_text(v) for v in listed(wanted)]
    if name == "Null":
        return any((values is None) == (v.lower() == "true") for v in policy)
    if name not in _TESTS or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise AwsError("MalformedPolicyDocument", f"Invalid Condition type : {operator}")
    test, negated = _TESTS[name]

    def fits(value: str) -> bool:
        return any(test(v, value, context) for v in policy) != negated

    if quantifier == "ForAllValues":
        return all(map(fits, values or ()))
    if quantifier == "ForAnyValue":
        return any(map(fits, values or ())) or (if_exists and values is None)
    if values is None:
        # A missing key fails a positive operator and satisfies a negated one.
        return if_exists or negated
    return all(map(fits, values)) if negated else any(map(fits, values))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _equals(policy: str, value: str, context: Mapping[str, Values]) -> bool:
    return filled(policy, context) == value


def _equals_folded(policy: str, value: str, context: Mapping[str, Values]) -> bool:
    text = filled(policy, context)
    return text is not None and text.casefold() == value.casefold()


def _like(policy: str, value: str, context: Mapping[str, Values]) -> bool:
    return matches(policy, value, context)


def _bool(policy: str, value: str, _context: Mapping[str, Values]) -> bool:
    return policy.lower() == value.lower()


def _binary(policy: str, value: str, _context: Mapping[str, Values]) -> bool:
    return base64.b64decode(policy) == base64.b64decode(value)


def _address(policy: str, value: str, _context: Mapping[str, Values]) -> bool:
    network, address = ip_network(policy, strict=False), ip_address(value)
    return network.version == address.version and address in network


def _number(compare: Callable[[Any, Any], bool]) -> Test:
    def test(policy: str, value: str, _context: Mapping[str, Values]) -> bool:
        try:
            return compare(float(value), float(policy))
        except ValueError:
            return False

    return test


def _date(compare: Callable[[Any, Any], bool]) -> Test:
    def test(policy: str, value: str, _context: Mapping[str, Values]) -> bool:
        try:
            return compare(_moment(value), _moment(policy))
        except ValueError:
            return False

    return test


def _moment(text: str) -> datetime:
    """A W3C date or epoch seconds (IAM: Date condition operators), as aware UTC."""
    if text.replace(".", "", 1).isdigit() and "-" not in text:
        return datetime.fromtimestamp(float(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_TESTS: dict[str, tuple[Test, bool]] = {
    "StringEquals": (_equals, False),
    "StringNotEquals": (_equals, True),
    "StringEqualsIgnoreCase": (_equals_folded, False),
    "StringNotEqualsIgnoreCase": (_equals_folded, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "Bool": (_bool, False),
    "BinaryEquals": (_binary, False),
    "IpAddress": (_address, False),
    "NotIpAddress": (_address, True),
    "ArnEquals": (arn_matches, False),
    "ArnLike": (arn_matches, False),
    "ArnNotEquals": (arn_matches, True),
    "ArnNotLike": (arn_matches, True),
}
for _kind, _make in (("Numeric", _number), ("Date", _date)):
    _TESTS |= {
        f"{_kind}Equals": (_make(eq), False),
        f"{_kind}NotEquals": (_make(eq), True),
        f"{_kind}LessThan": (_make(lt), False),
        f"{_kind}LessThanEquals": (_make(le), False),
        f"{_kind}GreaterThan": (_make(gt), False),
        f"{_kind}GreaterThanEquals": (_make(ge), False),
    }
