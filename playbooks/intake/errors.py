"""What can go wrong between a machine's alert and its normal form.

IntakeError
├── TooLargeError         more bytes than any transport we read from carries
├── NotJsonError          not UTF-8, cut off, not strict JSON
├── TooDeepError          nested deeper than a finding ever is
├── UnknownSourceError    well-formed, but no format we know
├── FieldError            a field we cannot do without is missing or misshapen
├── HostileTextError      an identifier that is made to be misread
└── FindingTypesError     our own table of finding types is broken
"""


class IntakeError(Exception):
    """The alert was not understood; the message says what was expected and what to do next."""


class TooLargeError(IntakeError):
    """More bytes than any transport we read from carries."""


class NotJsonError(IntakeError):
    """Not UTF-8, cut off, or not JSON as RFC 8259 and RFC 7493 (I-JSON) have it."""


class TooDeepError(IntakeError):
    """Nested deeper than a finding ever is."""


class UnknownSourceError(IntakeError):
    """Well-formed JSON, but none of the formats we read."""


class FieldError(IntakeError):
    """A field we cannot do without is missing, misshapen or given twice."""


class HostileTextError(IntakeError):
    """An identifier holds characters that hide, reorder or break what a person would read."""


class FindingTypesError(IntakeError):
    """Our own table of finding types does not keep its schema."""
