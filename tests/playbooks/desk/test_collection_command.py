"""What `stanch collection` prints is what Stanch then takes for its own."""

import json
import re

import pytest
from typer.testing import CliRunner

from actions.aws import collection_document as pinned
from playbooks.__main__ import built


def test_the_printed_document_is_the_pinned_one_and_no_secret_is_in_it() -> None:
    ran = CliRunner().invoke(built(), ["collection"])
    assert ran.exit_code == 0
    assert json.loads(ran.output) == pinned.document()


@pytest.mark.parametrize("name", ["Upload", "Owner", "ScriptSha256"])
@pytest.mark.parametrize("value", ["'; id; '", "$(id)", "`id`", "a\nb", '"', "\\", ""])
def test_no_parameter_lets_anything_into_the_shell(name: str, value: str) -> None:
    pattern = pinned.document()["parameters"][name]["allowedPattern"]
    assert not re.search(pattern, value)
    assert not re.search(pattern, f"https://bucket.s3.amazonaws.com/{value}") or not value
