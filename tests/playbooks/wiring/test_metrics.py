"""Metrics: what happened is counted once, and no stranger makes the figures grow."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from playbooks.wiring.metrics import MOST_VALUES, Gauge, Metrics


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return what a scrape reads: name and labels -> value."""
    text = metrics.text().decode()
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def total(metrics: Metrics, name: str) -> float:
    return sum(value for (found, _), value in samples(metrics).items() if found == name)


@given(st.lists(st.text(max_size=9)))
def test_all_is_counted_under_few_labels(channels: list[str]) -> None:
    metrics = Metrics()
    for channel in channels + [f"made-up-{n}" for n in range(MOST_VALUES)]:
        metrics.rejected(channel)
    counted = {k: v for k, v in samples(metrics).items() if k[0] == "stanch_alerts_rejected_total"}
    assert sum(counted.values()) == len(channels) + MOST_VALUES
    assert len({dict(labels)["channel"] for _, labels in counted}) <= MOST_VALUES + 1


def test_each_name_follows_the_conventions() -> None:
    metrics = Metrics()
    metrics.taken("queue", "accepted", 0.01)
    metrics.refused("unsigned")
    metrics.rejected("siem:x")
    metrics.entered("reflex", "Completed")
    metrics.first_act(0.1)
    metrics.contained(2.0)
    metrics.stopped("FrozenError")
    names = {name for name, _ in samples(metrics)}
    ours = {n for n in names if n.startswith("stanch_")}
    assert len(ours) > 8
    assert names - ours <= {n for n in names if n.startswith("process_")}
    for family in text_string_to_metric_families(metrics.text().decode()):
        assert family.documentation
        if family.type == "counter":
            assert all(s.name.endswith("_total") for s in family.samples)
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
    for name in ("stanch_alert_accept_seconds_count", "stanch_first_act_seconds_count"):
        assert total(metrics, name) == 1
    assert total(metrics, "stanch_alerts_total") == 1


def test_a_clock_that_went_back_gives_no_negative_time() -> None:
    metrics = Metrics()
    metrics.first_act(-5.0)
    metrics.contained(-5.0)
    assert total(metrics, "stanch_first_act_seconds_sum") == 0


def test_gauges_are_read_at_each_scrape_and_not_before() -> None:
    metrics, read = Metrics(), []

    def gauges() -> list[Gauge]:
        read.append(1)
        label = (("severity", "P0"),)
        return [Gauge("stanch_x", "X.", len(read), label), Gauge("stanch_y", "Y.", 1)]

    metrics.watch(gauges)
    assert read == []
    assert samples(metrics)["stanch_x", (("severity", "P0"),)] == 1
    assert samples(metrics)["stanch_x", (("severity", "P0"),)] == 2


def test_two_processes_figures_are_apart() -> None:
    one, two = Metrics(), Metrics()
    one.stopped("FrozenError")
    assert total(one, "stanch_gate_refusals_total") == 1
    assert total(two, "stanch_gate_refusals_total") == 0
