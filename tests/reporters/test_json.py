import json
from collections.abc import Callable

import pytest
from sample_run import disturbed_run, empty_run, failing_run, passing_run

from battle.core.run import Run
from battle.reporters.json import JsonReporter


@pytest.mark.parametrize("make", [passing_run, failing_run, empty_run, disturbed_run])
def test_the_document_reads_back_as_the_same_run(make: Callable[[], Run]) -> None:
    assert Run.model_validate(json.loads(JsonReporter().render(make()))) == make()


def test_what_was_not_measured_is_null_and_keys_keep_their_order() -> None:
    document = json.loads(JsonReporter().render(empty_run()))
    assert document["analysis"]["requests"]["p95_latency_ms"] is None
    assert document["analysis"]["failover"]["attribution"]["joined"] is None
    assert document["analysis"]["system"]["proxy"]["peak_memory_mb"] is None
    assert list(document)[:4] == ["schema_version", "report_id", "started_at", "analysed_at"]


def test_never_stays_never() -> None:
    assert json.loads(JsonReporter().render(failing_run()))["slo_results"][1]["actual"] == "never"


def test_what_is_no_number_is_null() -> None:
    run = empty_run()
    run.analysis.requests.p50_latency_ms = float("nan")
    assert json.loads(JsonReporter().render(run))["analysis"]["requests"]["p50_latency_ms"] is None


def test_it_is_indented_and_ends_with_a_line_end() -> None:
    rendered = JsonReporter().render(passing_run())
    assert rendered.startswith(b'{\n  "schema_version": 1,\n')
    assert rendered.endswith(b"}\n")
