"""What was never run against anything that executes it: it follows a contract alone.

What stands here is said by `stanch doctor`, and in what is collected. A line goes when the thing
has run; docs/evidence/sources.md says what each source ran against.
"""

from collections.abc import Mapping

CONTRACT_ONLY: Mapping[str, str] = {
    "memory": (
        "no memory is captured; AVML, pinned by its hash, is the tool that is meant, and nothing "
        "of it was built or run"
    ),
    "agent": (
        "the collection document was tried in a shell under the practice range's agent, and under "
        "AWS's own never, before this version of Stanch"
    ),
}
