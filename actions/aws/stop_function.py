"""Let no Lambda function run: no concurrency is left to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from botocore.exceptions import ClientError

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.errors import TargetGoneError
from actions.journal import Json, State
from actions.permission import Permission

_FUNCTION = "arn:{partition}:lambda:{region}:{account}:function:*"


@dataclass(frozen=True)
class StopFunction(Lens[Aws]):
    """Set the function's reserved concurrency to 0, so that every invocation is refused.

    State: `reserved` is the reserved concurrency (an integer), or None where none is reserved,
    which is not 0 (Lambda API Reference, "PutFunctionConcurrency"). `function` is its name.
    What runs already runs on to its end, and sessions of its execution role go on
    (deny_role_sessions).
    """

    account: str
    region: str
    function: str

    takes: ClassVar[Takes] = "service"
    permissions: ClassVar = (
        Permission("lambda:GetFunctionConfiguration", _FUNCTION),
        Permission("lambda:GetFunctionConcurrency", _FUNCTION),
        Permission("lambda:PutFunctionConcurrency", _FUNCTION),
        Permission("lambda:DeleteFunctionConcurrency", _FUNCTION),
    )

    @property
    def target(self) -> str:
        return f"{self.account}/{self.region}/function/{self.function}"

    def read(self, p: Aws) -> Mapping[str, Json]:
        try:
            answer = p.lambda_.get_function_concurrency(FunctionName=self.function)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise TargetGoneError(
                f"function {self.function} does not exist (any more) in {self.region}. Look at who "
                "deleted it (CloudTrail)."
            ) from error
        return {"reserved": answer.get("ReservedConcurrentExecutions")}

    def wanted(self, before: State) -> State:
        return {"reserved": 0}

    def write(self, p: Aws, key: str, value: Json) -> None:
        if value is None:
            p.lambda_.delete_function_concurrency(FunctionName=self.function)
        else:
            p.lambda_.put_function_concurrency(
                FunctionName=self.function, ReservedConcurrentExecutions=value
            )

    def foresee(self, p: Aws, before: State) -> Foreseen:
        role = p.lambda_.get_function_configuration(FunctionName=self.function)["Role"]
        return Foreseen(
            blast=(
                f"every invocation of {self.function} is refused; what sends events to it retries "
                "or drops them",
                f"sessions of {role} that it has got go on",
            )
        )
