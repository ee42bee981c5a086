"""Tell a sample finding, made by CreateSampleFindings, from a real one."""

from playbooks.intake.alert import Resource
from playbooks.intake.errors import IntakeError
from playbooks.intake.fields import pick
from playbooks.intake.strict_json import Json, read_text


def is_sample(
    service: Json, title: str, resource: Resource, remote_ips: tuple[str, ...], problems: list[str]
) -> bool:
    """Whether anything says that the finding is a sample.

    EventBridge flattens `service.additionalInfo.sample`; the API hides it in the JSON text of
    `service.additionalInfo.value`. Some samples carry neither, so placeholders count as well.
    A text that cannot be read goes to `problems`: a person decides then.
    """
    flags = [pick(service, "additionalInfo.sample")]
    hidden = pick(service, "additionalInfo.value")
    if isinstance(hidden, str) and hidden.strip():
        try:
            inner = read_text(hidden)
            flags.append(pick(inner, "sample") if isinstance(inner, dict) else None)
        except IntakeError as error:
            problems.append(f"additionalInfo.value may hide a sample flag: {error}")
    elif hidden is not None and not isinstance(hidden, str):
        problems.append("additionalInfo.value may hide a sample flag: it is not text")
    return (
        any(flag not in (None, False) for flag in flags)
        or title.startswith("[SAMPLE]")
        or resource.instance_id == "i-99999999"
        or "198.51.100.0" in remote_ips  # RFC 5737 TEST-NET-2: nobody is there
        or any(
            text is not None and text.startswith("GeneratedFinding")
            for text in (resource.uid, resource.access_key_id, resource.user_name)
        )
    )
