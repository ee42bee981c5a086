"""Requests as AWS's SDKs send them, answers as they read them: both by botocore's own models."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import botocore.session
from botocore.exceptions import UnknownServiceError as BotocoreUnknownService
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from playbooks.drills.range.errors import AwsError, UnknownServiceError
from playbooks.drills.range.presigned import unfolded

if TYPE_CHECKING:
    from collections.abc import Mapping

# The name in a signature's scope, where it differs from the model's name in botocore.
MODEL_FOR_SIGNING_NAME = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "sso": "sso-admin",
    "states": "stepfunctions",
}
SIGNING_NAME_FOR_MODEL = {model: name for name, model in MODEL_FOR_SIGNING_NAME.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `service` is the SigV4 name, `params` the input in boto3's shape."""

    service: str
    operation: str
    region: str
    params: dict[str, Any]
    access_key: str
    source_ip: str
    user_agent: str
    environ: Mapping[str, Any] = field(repr=False)
    body: bytes = field(repr=False)
    account: str = ""  # set once the signer is known

    @property
    def model_name(self) -> str:
        """The service's name in botocore, such as `elbv2` for `elasticloadbalancing`."""
        return MODEL_FOR_SIGNING_NAME.get(self.service, self.service)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; `error` is the AWS error code, or empty."""

    status: int
    headers: dict[str, str]
    body: bytes
    error: str = ""


class _Failure(Exception):  # noqa: N818
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def credential(environ: Mapping[str, Any]) -> tuple[str, str, str]:
    """Access key id, region and service from the SigV4 header (AWS: Signature Version 4).

    Raises AwsError MissingAuthenticationToken when the request is not signed so.
    """
    header = environ.get("HTTP_AUTHORIZATION", "")
    try:
        scheme, _, rest = header.partition(" ")
        fields = dict(part.strip().split("=", 1) for part in rest.split(","))
        key, _date, region, service, _end = fields["Credential"].rsplit("/", 4)
    except (KeyError, ValueError):
        scheme = ""
    if scheme != "AWS4-HMAC-SHA256":
        raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    return key, region, service


def read(environ: dict[str, Any]) -> Asked:
    """What a WSGI environ asks for; the body is taken from `wsgi.input`.

    Raises AwsError for an unsigned request or an operation AWS does not have, and
    UnknownServiceError for a service without a model.
    """
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ = unfolded(environ)
    key, region, service = credential(environ)
    model_name = MODEL_FOR_SIGNING_NAME.get(service, service)
    environ = {**environ, "wsgi.input": BytesIO(body)}
    request = Request(environ)
    try:
        operation, uri_params = get_service_router(model_name).match(request)
        protocol = determine_request_protocol(operation.service_model, request.content_type)
        params = PROTOCOL_PARSERS[protocol](operation).parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": body,
                "url_path": request.path,
                "url_params": uri_params,
            }
        )
    except BotocoreUnknownService as unknown:
        raise UnknownServiceError(f"the range has no model of the service {service!r}") from unknown
    except (NotFound, RequestParserError, NotImplementedError) as unknown:
        raise AwsError("InvalidAction", f"{service} has no such action: {unknown}") from unknown
    return Asked(
        service=service,
        operation=operation.name,
        region=region,
        params=params,
        access_key=key,
        source_ip=environ.get("REMOTE_ADDR", "127.0.0.1"),
        user_agent=environ.get("HTTP_USER_AGENT", ""),
        environ=environ,
        body=body,
    )


@cache
def _botocore() -> botocore.session.Session:
    return botocore.session.Session()


@cache
def _operation(model_name: str, operation: str) -> Any:
    return _botocore().get_service_model(model_name).operation_model(operation)


def ask(
    model_name: str,
    operation: str,
    params: Mapping[str, Any],
    *,
    region: str,
    access_key: str,
    account: str,
) -> Asked:
    """A request made inside the range, as botocore would have sent it (unsigned in substance)."""
    service = SIGNING_NAME_FOR_MODEL.get(model_name, model_name)
    model = _operation(model_name, operation)
    out = create_serializer(
        model.service_model.resolved_protocol, include_validation=False
    ).serialize_to_request(dict(params), model)
    form = isinstance(out["body"], dict)
    body = urlencode(out["body"], doseq=True) if form else out["body"]
    body = body.encode() if isinstance(body, str) else body or b""
    environ = {
        "REQUEST_METHOD": out["method"],
        "PATH_INFO": out["url_path"],
        "RAW_URI": out["url_path"],
        "QUERY_STRING": urlencode(out["query_string"], doseq=True),
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8" if form else "",
        "HTTP_HOST": f"{service}.{region}.amazonaws.com",
        "HTTP_USER_AGENT": "aws-internal",
        "HTTP_AUTHORIZATION": (
            f"AWS4-HMAC-SHA256 Credential={access_key}/00000000/{region}/{service}/aws4_request,"
            " SignedHeaders=host, Signature=0"
        ),
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443",
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": BytesIO(),
        **{f"HTTP_{k.upper().replace('-', '_')}": v for k, v in out["headers"].items()},
    }
    if "Content-Type" in out["headers"]:
        environ["CONTENT_TYPE"] = out["headers"]["Content-Type"]
    return Asked(
        service=service,
        operation=operation,
        region=region,
        params=dict(params),
        access_key=access_key,
        source_ip="127.0.0.1",
        user_agent="aws-internal",
        environ=environ,
        body=body,
        account=account,
    )


def of_account(asked: Asked, account: str) -> Asked:
    """The same request, made in this account."""
    return replace(asked, account=account)


def changed(asked: Asked, params: Mapping[str, Any]) -> Asked:
    """The same request with other parameters."""
    return ask(
        asked.model_name,
        asked.operation,
        params,
        region=asked.region,
        access_key=asked.access_key,
        account=asked.account,
    )


def result_of(asked: Asked, answer: Answer) -> dict[str, Any]:
    """An answer's result in boto3's shape. Raises AwsError when the answer is an error."""
    model = _operation(asked.model_name, asked.operation)
    parsed: dict[str, Any] = create_parser(model.service_model.resolved_protocol).parse(
        {"status_code": answer.status, "headers": answer.headers, "body": answer.body},
        model.output_shape,
    )
    if answer.status >= 300:
        error = parsed.get("Error", {})
        raise AwsError(error.get("Code", ""), error.get("Message", ""), answer.status)
    parsed.pop("ResponseMetadata", None)
    return parsed


def named(asked: Asked, answer: Answer) -> Answer:
    """An error answer with its AWS error code filled in."""
    try:
        result_of(asked, answer)
    except AwsError as error:
        return Answer(answer.status, answer.headers, answer.body, error.code)
    return answer


def _serializer(model_name: str, operation: str) -> Any:
    service = get_service_model(model_name)
    return get_serializer_class(service.service_name, str(service.resolved_protocol))(
        service.operation_model(operation)
    )


def answer(asked: Asked, result: Mapping[str, Any]) -> Answer:
    """A good answer with this result (boto3's shape)."""
    out = _serializer(asked.model_name, asked.operation).serialize(result)
    return _answer(out["status_code"], out)


def refuse(asked: Asked, error: AwsError) -> Answer:
    """An error answer in the service's own protocol."""
    status = error.status
    if asked.service == "iam" and status == 400 and error.code in IAM_STATUS:
        status = IAM_STATUS[error.code]
    return _refusal(asked.model_name, asked.operation, error.code, error.message, status)


@lru_cache(maxsize=1024)
def _refusal(model_name: str, operation: str, code: str, message: str, status: int) -> Answer:
    # Kept: the same refusal is given again and again to whoever goes on trying.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = _serializer(model_name, operation).serialize(_Failure(code, message))
    made = _answer(status, out)
    return Answer(made.status, made.headers, made.body, code)


# IAM's errors carry their own HTTP status (IAM API reference: each action's Errors section).
IAM_STATUS = {
    "NoSuchEntity": 404,
    "EntityAlreadyExists": 409,
    "LimitExceeded": 409,
    "DeleteConflict": 409,
    "ReportNotPresent": 410,
}


def refuse_unparsed(error: AwsError) -> Answer:
    """An error answer to a request that could not be read as any operation."""
    body = json.dumps({"__type": error.code, "message": error.message}).encode()
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": error.code}
    return Answer(error.status, headers, body, error.code)


def _answer(status: int, out: Any) -> Answer:
    body = out["body"].encode() if isinstance(out["body"], str) else out["body"]
    return Answer(status, {str(k): str(v) for k, v in out["headers"].items()}, body)
