"""What a process counts and times, for Prometheus; what each figure means: docs/operations.

Names follow Prometheus's "Metric and label naming". No label takes a value from outside, and none
an incident's id: a stranger must not be able to make the figures grow.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from platform import python_version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

# What a label may take on before all further values are called "other".
MOST_VALUES = 64
ACCEPT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# The goals are 150 ms in the median and a second at the worst.
REFLEX = (0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)
CONTAINED = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# A second series for each, of when it began: process_start_time_seconds says it once.
disable_created_metrics()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Gauge:
    """One figure read when it is asked for; `labels` are pairs of name and value."""

    name: str
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


class Metrics:
    """One process's figures, in a registry of their own."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._seen: dict[str, set[str]] = {}
        self._alerts = self._counter("alerts", "Alerts taken in.", "channel", "outcome")
        self._rejected = self._counter(
            "alerts_rejected", "Dead letters: from a known sender, and not understood.", "channel"
        )
        self._refused = self._counter("requests_refused", "Requests turned away.", "reason")
        self._accept = self._histogram("alert_accept_seconds", "From receipt to commit.", ACCEPT)
        self._entries = self._counter("entries", "Entries of plays.", "kind", "ending")
        self._first = self._histogram(
            "first_act_seconds",
            "From an incident's opening to the intent of its first act.",
            REFLEX,
        )
        self._contained = self._histogram(
            "contained_seconds", "From an incident's opening to contained.", CONTAINED
        )
        self._gate = self._counter("gate_refusals", "Calls stopped at the gate.", "reason")
        Info("stanch_build", "What runs.", registry=self.registry).info(
            {
                "version": version("stanch"),
                "prefect": version("prefect"),
                "python": python_version(),
            }
        )
        ProcessCollector(registry=self.registry)

    def taken(self, channel: str, outcome: str, seconds: float) -> None:
        """Count an alert that is durable, `seconds` after its receipt; outcome opened or known."""
        self._alerts.labels(self._few("channel", channel), self._few("outcome", outcome)).inc()
        self._accept.observe(max(seconds, 0.0))

    def rejected(self, channel: str) -> None:
        """Count a dead letter of a known sender or queue."""
        self._rejected.labels(self._few("channel", channel)).inc()

    def refused(self, reason: str) -> None:
        """Count a request that was turned away, from nobody knows whom."""
        self._refused.labels(self._few("reason", reason)).inc()

    def entered(self, kind: str, ending: str) -> None:
        """Count an entry that ended; kind is play or reflex, ending as in `Ending.state`."""
        self._entries.labels(self._few("kind", kind), self._few("ending", ending)).inc()

    def first_act(self, seconds: float) -> None:
        """Time the first act of an incident, as its intent was recorded, since its opening."""
        self._first.observe(max(seconds, 0.0))

    def contained(self, seconds: float) -> None:
        """Time an incident that is contained now, since it was opened."""
        self._contained.observe(max(seconds, 0.0))

    def stopped(self, reason: str) -> None:
        """Count a call that the gate did not let through; reason is the error's name."""
        self._gate.labels(self._few("gate", reason)).inc()

    def watch(self, read: Callable[[], Iterable[Gauge]]) -> None:
        """Read these gauges at each scrape. What they raise ends the scrape."""
        self.registry.register(_Read(read))

    def text(self) -> bytes:
        """Return everything in Prometheus's text format, as CONTENT_TYPE."""
        return generate_latest(self.registry)

    def _few(self, label: str, value: str) -> str:
        seen = self._seen.setdefault(label, set())
        if value not in seen and len(seen) < MOST_VALUES:
            seen.add(value)
        return value if value in seen else "other"

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"stanch_{name}_total", says, labels, registry=self.registry)

    def _histogram(self, name: str, says: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"stanch_{name}", says, buckets=buckets, registry=self.registry)


class _Read(Collector):
    def __init__(self, read: Callable[[], Iterable[Gauge]]) -> None:
        self._read = read

    def describe(self) -> list[GaugeMetricFamily]:
        """Return nothing: a registry must not read the database to learn the names."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        families: dict[str, GaugeMetricFamily] = {}
        for one in self._read():
            names = [name for name, _ in one.labels]
            family = families.setdefault(
                one.name, GaugeMetricFamily(one.name, one.help, labels=names)
            )
            family.add_metric([value for _, value in one.labels], one.value)
        yield from families.values()
