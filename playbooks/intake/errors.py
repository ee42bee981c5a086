"""What can go wrong between a machine's alert and its normal form.

IntakeError
├── TooLargeError         more bytes than any transport we read from carries
├── NotJsonError          not UTF-8, cut off, not strict JSON
├── TooDeepError          nested deeper than a finding ever is
├── UnknownSourceError    well-formed, but no format we know
├── FieldError            a field we cannot do without is missing or misshapen
├── HostileTextError      an identifier that is made to be misread
├── EnvelopeError         an event that is not from where it says, or not for us
├── FindingTypesError     our own table of finding types is broken
└── RequestError          the request that carried it is refused, whatever is in it
    ├── UnsignedError     not signed by a sender we know
    ├── StaleError        signed, but not now
    ├── ReplayedError     signed and accepted before
    ├── MediaTypeError    not plain application/json
    └── SlowError         the body did not arrive in time
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


class EnvelopeError(IntakeError):
    """An event whose envelope names another source or account than it may."""


class RequestError(IntakeError):
    """The request that carried the alert is refused, whatever is in it."""


class UnsignedError(RequestError):
    """Not signed by a sender we know; which of the two it is, is not told."""


class StaleError(RequestError):
    """Signed by a sender we know, but too long ago or ahead of time."""


class ReplayedError(RequestError):
    """The same signed request was taken in before."""


class MediaTypeError(RequestError):
    """The body is not declared as plain application/json."""


class SlowError(RequestError):
    """The body did not arrive in time."""
