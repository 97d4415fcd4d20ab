import re

import pytest
from markdown_it import MarkdownIt
from sample_run import RUN_ID, disturbed_run, empty_run, failing_run, objective, passing_run

from battle.core.run import FaultResult, Notice, ProviderResult, Run
from battle.reporters.markdown import MarkdownReporter
from battle.reporters.markdown_text import code, plain
from battle.reporters.wording import UNKNOWN

NASTY = "a|b <script>alert(1)</script> `c` **d** [e](http://f) _g_ & \\|\n# h"


def render(run: Run) -> str:
    return MarkdownReporter().render(run)


def html(text: str) -> str:
    return str(MarkdownIt("commonmark").enable("table").render(text))


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def with_analysis(run: Run, **changes: object) -> Run:
    return run.model_copy(update={"analysis": run.analysis.model_copy(update=changes)})


def test_the_verdict_and_its_reasons_come_first() -> None:
    lines = [line for line in render(failing_run()).splitlines() if line]
    assert lines[0] == "# ✗ FAIL · Provider failover"
    assert lines[2] == "- success_rate >= 99% during kill-alpha: 66.7%"
    assert lines[3] == "- recovery_time <= 2s of kill-alpha: never"


def test_a_pass_has_a_reason_too() -> None:
    assert render(passing_run()).startswith("# ✓ PASS · Provider failover\n")
    assert "\n- all 7 objectives hold\n" in render(passing_run())


def test_the_first_line_says_what_is_still_disturbed_and_how_to_mend_it() -> None:
    assert render(disturbed_run()).splitlines()[0] == (
        f"> **Still disturbed:** alpha: still stopped (SIGSTOP). Mend it with `battle rollback {RUN_ID}`"
    )


def test_the_sections_stand_in_their_order() -> None:
    assert re.findall(r"^## (.*)$", render(passing_run()), re.MULTILINE) == [
        "Objectives",
        "Faults",
        "Latency",
        "Failover",
        "Breakers",
        "Providers",
        "Errors",
        "Windows",
        "System",
        "Notices",
        "How this is known",
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (0, ["`success_rate >= 99% during kill-alpha`", "during kill-alpha", "≥ 99%", "66.7%", "1,679", "✗ fail"]),
        (1, ["`recovery_time <= 2s`", "kill-alpha", "≤ 2s", "never", "1", "✗ fail"]),
        (2, ["`p99 <= 400ms`", "run", "≤ 400ms", UNKNOWN, "120", "? inconclusive"]),
    ],
)
def test_objectives(row: int, expected: list[str]) -> None:
    lines = [line for line in section(render(failing_run()), "Objectives").splitlines() if line.startswith("|")]
    assert cells(lines[2 + row]) == expected


def test_why_an_objective_could_not_be_judged_stands_below() -> None:
    assert "- `p99 <= 400ms`: p99 needs 1,000 requests, there were 120" in section(render(failing_run()), "Objectives")


def test_a_fault_has_its_four_instants_and_its_cost() -> None:
    lines = [line for line in section(render(passing_run()), "Faults").splitlines() if line.startswith("|")]
    instants = ["6.002 s", "6.015 s", "14.391 s", "14.403 s"]
    assert cells(lines[2]) == ["kill-alpha", "kill", "alpha", *instants, "✓ effect and end"]
    assert cells(lines[5]) == ["kill-alpha", "48", "1", "12.7 ms", "92.4 ms", "0 ms", "1.20 s"]


@pytest.mark.parametrize(
    ("fields", "instants", "costs"),
    [
        ({}, [UNKNOWN] * 4 + ["never injected"], [UNKNOWN] * 6),
        (
            {"injected_at_ms": 1000, "verified": False},
            ["1.000 s", UNKNOWN, UNKNOWN, UNKNOWN, "✗ effect not seen"],
            [UNKNOWN] * 6,
        ),
        (
            {
                "injected_at_ms": 1000,
                "effective_at_ms": 1010,
                "verified": True,
                "cleared": False,
                "requests_touched": 0,
                "detection_ms": "never",
                "recovery_ms": "never",
            },
            ["1.000 s", "1.010 s", UNKNOWN, UNKNOWN, "✗ end not seen"],
            ["0", UNKNOWN, UNKNOWN, "never", "never", UNKNOWN],
        ),
        (
            {"injected_at_ms": 1000, "rolled_back_at_ms": 2000},
            ["1.000 s", UNKNOWN, "2.000 s", UNKNOWN, "not verified by request"],
            [UNKNOWN] * 6,
        ),
    ],
)
def test_what_a_fault_does_not_know(fields: dict[str, object], instants: list[str], costs: list[str]) -> None:
    fault = FaultResult.model_validate({"name": "f", "kind": "hang", "targets": ["beta"], **fields})
    lines = section(render(with_analysis(passing_run(), faults=[fault])), "Faults").splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert cells(table[2])[3:] == instants
    assert cells(table[5])[1:] == costs


def test_each_injection_of_a_repeated_fault_is_shown() -> None:
    fault = passing_run().analysis.faults[0]
    twice = [fault.occurrences[0], fault.occurrences[0].model_copy(update={"occurrence": 1, "verified": False})]
    text = render(with_analysis(passing_run(), faults=[fault.model_copy(update={"occurrences": twice})]))
    assert "Each injection of kill-alpha:" in text
    assert text.count("refused after 0 ms") == 2
    assert "Each injection" not in render(passing_run())


def test_a_run_without_anything_measured_shows_no_zero() -> None:
    text = render(empty_run().model_copy(update={"ended": "interrupted"}))
    assert "**The run was interrupted; what follows is what was measured until then.**" in text
    for title in ("Latency", "Failover", "Breakers", "Windows"):
        assert section(text, title).strip() == "Not measured."
    assert section(text, "Errors").strip() == "No request was sent."
    values = [cells(line)[1] for line in section(text, "System").splitlines()[3:] if line.startswith("|")]
    both = f"{UNKNOWN} / {UNKNOWN}"
    assert values == [*[UNKNOWN] * 8, both, *[UNKNOWN] * 4, both, UNKNOWN]
    assert not re.search(r"\| +0 \|", text)


def test_a_setup_that_failed_is_short() -> None:
    text = render(empty_run())
    assert "# ? INCONCLUSIVE" in text
    assert "- envoy did not start: exit status 1" in text
    assert "## Latency" not in text
    assert "battle judge" not in text


def test_no_failures_is_not_no_requests() -> None:
    requests = passing_run().analysis.requests.model_copy(update={"errors": {}})
    assert section(render(with_analysis(passing_run(), requests=requests)), "Errors").strip() == "No request failed."


def test_providers_without_records_say_so() -> None:
    provider = ProviderResult(name="remote", kind="url")
    text = render(with_analysis(passing_run(), providers=[provider]))
    table = [line for line in section(text, "Providers").splitlines() if line.startswith("|")]
    assert cells(table[2]) == ["remote", "url", UNKNOWN, "0", UNKNOWN, UNKNOWN, "0", "0"]
    assert "Without records: remote; what reached them is not known." in text


def test_how_it_is_known() -> None:
    text = section(render(passing_run()), "How this is known")
    assert "known for 99.98% of the requests answered ok (joined by the JSON-RPC id 6,020)" in text
    assert "Proved: the request stands in the records of two providers" in text
    assert "150 earlier requests outside every number" in text
    assert f"battle judge {RUN_ID}" in text


def test_notices_have_their_time() -> None:
    notice = Notice(at_ms=2500, level="error", text="beta ended by itself: SIGSEGV")
    text = render(passing_run().model_copy(update={"notices": [notice]}))
    assert section(text, "Notices").strip() == "- **error** at 2.500 s: beta ended by itself: SIGSEGV"


def test_names_cannot_break_the_report() -> None:
    run = passing_run()
    fault = run.analysis.faults[0].model_copy(update={"name": NASTY, "targets": [NASTY], "why": NASTY})
    run = with_analysis(run, faults=[fault], providers=[ProviderResult(name=NASTY, kind="mock")])
    scenario = run.scenario.model_copy(update={"name": NASTY, "description": NASTY})
    results = [objective("p95 <= 250ms", 250, 1, (NASTY, NASTY)).model_copy(update={"objective": NASTY})]
    changes = {"scenario": scenario, "slo_results": results, "reasons": [NASTY], "disturbed": [NASTY]}
    run = run.model_copy(update={**changes, "notices": [Notice(at_ms=None, level="info", text=NASTY)]})
    page = html(render(run))
    shown = "a|b &lt;script&gt;alert(1)&lt;/script&gt; `c` **d** [e](http://f) _g_ &amp; \\| # h"
    assert "<script>" not in page
    assert page.count(shown) >= 10
    assert page.count("<h1>") == 1
    assert page.count("<table>") == html(render(passing_run())).count("<table>")
    for row in re.findall(r"<tr>\n(.*?)</tr>", page.split("<h2>Faults</h2>")[0], re.DOTALL):
        assert len(re.findall(r"<t[hd]", row)) == 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("eth_getBalance", "eth_getBalance"),  # an underscore inside a word is no emphasis
        ("_x_", "\\_x\\_"),
        ("# no title", "\\# no title"),
        ("1. no list", "\\1. no list"),
        ("a > b", "a > b"),
        ("a|b", "a\\|b"),
        ("<b>", "&lt;b>"),
    ],
)
def test_plain_text(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize("text", ["p95 <= 250ms", "a `b` c", "`", "``x", "a|b"])
def test_code_shows_what_it_was_given(text: str) -> None:
    assert f"<code>{text.replace('<', '&lt;')}</code>" in html(code(text))
    assert f"<code>{text.replace('<', '&lt;')}</code>" in html(f"| a |\n| - |\n| {code(text, in_table=True)} |\n")


def test_it_is_report_md_and_answers_to_md() -> None:
    assert MarkdownReporter.file_name == "report.md"
    assert "md" in MarkdownReporter.aliases
