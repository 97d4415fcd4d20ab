"""What exists is documented, and what is documented exists: kinds, settings, indicators, exit codes, commands, files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main
import yaml
from pydantic import ValidationError

from battle.analysis import catalogue
from battle.analysis.indicator import indicators
from battle.app import formats
from battle.cli.main import app
from battle.core.access import Auth, Basic, Tls
from battle.core.component import Component, kinds, rooms
from battle.core.journal import EventKind
from battle.core.ports.fault import Fault
from battle.core.ports.load import OpenPattern
from battle.core.ports.proxy import Proxy
from battle.core.records import ATTEMPT, REQUEST
from battle.core.run import Analysis, Run
from battle.core.scenario import BatchRequest, Expect, HttpRequest, RpcRequest, Setup, Stream
from battle.errors import ExitCode
from battle.loading import load_text
from battle.rooms import SCENARIO_ROOMS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
SCENARIO, REPORTS, COMMANDS = DOCS / "scenario.md", DOCS / "reports.md", DOCS / "commands.md"
README = ROOT / "README.md"
OWN_KIND = "adding-a-fault.md"  # its scenario uses the kind that the page adds; test_adding_a_fault.py runs it
APART = {("proxies", "url"): " as a proxy", ("load", "pause"): " as a phase"}  # names that two rooms have
ALL_FAMILIES = catalogue.FAMILIES


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def sections(page: Path) -> dict[str, str]:
    """Each heading of a page, with the text under it up to the next heading of any level."""
    text = re.sub(
        r"^```.*?^```", lambda found: found[0].replace("\n#", "\n\\#"), page.read_text(), flags=re.DOTALL | re.MULTILINE
    )
    parts = re.split(r"^#+ +(.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def section_of(room: str, kind: str) -> str:
    found = sections(SCENARIO)
    title = f"`{kind}`{APART.get((room, kind), '')}"
    assert title in found, f"docs/scenario.md has no section {title!r} for this kind of {room}"
    return found[title]


def components(text: str) -> Iterator[dict[str, Any]]:
    """Every mapping with a `kind` in the YAML blocks of a text; `proxy: none` stands for its mapping."""

    def search(node: Any) -> Iterator[dict[str, Any]]:
        if isinstance(node, dict):
            if "kind" in node:
                yield node
            if isinstance(node.get("proxy"), str):
                yield {"kind": node["proxy"]}
            for below in node.values():
                yield from search(below)
        elif isinstance(node, list):
            for below in node:
                yield from search(below)

    for block in re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield from search(yaml.safe_load(block))


def written(model: type[Any]) -> set[str]:
    """A model's fields as scenarios write them."""
    return {field.alias or name for name, field in model.model_fields.items()}


KINDS = [(room, kind) for room in SCENARIO_ROOMS for kind in sorted(kinds(room))]


def test_every_room_is_looked_at() -> None:
    assert {room for room in rooms() if rooms()[room]} == {*SCENARIO_ROOMS, "reporters"}


@pytest.mark.parametrize(("room", "kind"), KINDS)
def test_every_kind_has_a_section_with_a_valid_example(room: str, kind: str) -> None:
    examples = [example for example in components(section_of(room, kind)) if example["kind"] == kind]
    assert examples, f"the section of {kind} shows no example"
    for example in examples:
        assert kinds(room)[kind].model_validate(example)


@pytest.mark.parametrize(("room", "kind"), KINDS)
def test_every_setting_of_every_kind_is_described(room: str, kind: str) -> None:
    component = kinds(room)[kind]
    shared = written(Fault if room == "chaos" else Proxy if room == "proxies" else Component)
    shared |= {"duration", "name", "warmup"} if room == "load" else set()
    own = written(component) - (shared - {"times"} if kind == "flap" else shared)
    options = getattr(component, "options_type", None)
    missing = [
        name for name in own | (written(options) if options else set()) if f"`{name}`" not in section_of(room, kind)
    ]
    assert not missing


@pytest.mark.parametrize(
    ("title", "model"),
    [
        ("setup", Setup),
        ("Proxies", Proxy),
        ("workload", Stream),
        ("Requests", RpcRequest),
        ("Requests", HttpRequest),
        ("Requests", BatchRequest),
        ("Requests", Expect),
        ("Authentication", Auth),
        ("Authentication", Basic),
        ("TLS", Tls),
        ("Load", OpenPattern),
        ("chaos", Fault),
    ],
)
def test_every_common_setting_is_described(title: str, model: type[Any]) -> None:
    text = sections(SCENARIO)[title]
    assert not [name for name in written(model) - {"kind"} if not re.search(rf"`{name}[`:]", text)]


@pytest.mark.parametrize("kind", sorted(kinds("reporters")))
def test_every_reporter_is_described_with_an_example(kind: str) -> None:
    assert f"`{kind}`" in REPORTS.read_text()
    assert any(f"--format {name}" in REPORTS.read_text() for name in (kind, *kinds("reporters")[kind].aliases))  # type: ignore[attr-defined]


def test_every_format_is_described() -> None:
    assert not [name for name in formats() if f"`{name}`" not in REPORTS.read_text()]


def test_the_indicators_are_those_of_the_table() -> None:
    rows = re.findall(r"^\| ((?:`[a-z0-9_.]+` ?)+)\|", sections(SCENARIO)["Indicators"], re.MULTILINE)
    described = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert described == set(indicators())


def test_every_indicator_stands_with_its_unit_and_subject() -> None:
    rows = re.findall(r"^\| ((?:`[a-z0-9_.]+` ?)+)\| (\w+) \| (\w+) \|", sections(SCENARIO)["Indicators"], re.MULTILINE)
    said = {name: (unit, about) for names, unit, about in rows for name in re.findall(r"`([^`]+)`", names)}
    numbers = {"count", "ratio"}
    for name, indicator in indicators().items():
        unit, about = said[name]
        assert about == indicator.about, name
        assert unit == indicator.unit or (indicator.unit == "number" and unit in numbers), name


@pytest.mark.parametrize("code", list(ExitCode), ids=lambda code: code.name)
def test_every_exit_code_is_in_the_readme(code: ExitCode) -> None:
    assert re.search(rf"^\| {code.value} \| {code.name} \| \w", README.read_text(), re.MULTILINE)


COMMAND_LINE = typer.main.get_command(app)
NAMED = sorted(COMMAND_LINE.commands.items())  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "command"), NAMED, ids=[name for name, _ in NAMED])
def test_every_command_and_option_is_documented(name: str, command: Any) -> None:
    if command.hidden:
        return
    section = sections(COMMANDS).get(f"battle {name}", "")
    assert f"$ battle {name}" in section
    assert f"$ battle {name}" in README.read_text()
    for parameter in command.params:
        for option in [*parameter.opts, *parameter.secondary_opts]:
            if option.startswith("-"):
                assert re.search(rf"`{option}[ `]", section), f"{option} of battle {name} is not in docs/commands.md"


@pytest.mark.parametrize("option", [option for parameter in COMMAND_LINE.params for option in parameter.opts])
def test_every_option_of_battle_itself_is_documented(option: str) -> None:
    assert option in COMMANDS.read_text()


def test_no_option_is_documented_that_does_not_exist() -> None:
    for name, command in NAMED:
        known = {option for parameter in command.params for option in parameter.opts}
        told = set(re.findall(r"^\| `(--?[a-z-]+)", sections(COMMANDS)[f"battle {name}"], re.MULTILINE))
        assert told <= known, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_yaml_is_yaml_and_scenarios_load(page: Path) -> None:
    for block in blocks(page, "yaml"):
        yaml.safe_load(block)
        if "workload:" in block and page.name != OWN_KIND:
            assert load_text(block, f"{page.name}.yaml").scenario


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_kind_in_an_example_is_valid_somewhere(page: Path) -> None:
    for example in components(page.read_text()) if page.name != OWN_KIND else ():
        if "${" not in str(example):
            assert any(_accepts(room, example) for room in SCENARIO_ROOMS), example


def _accepts(room: str, example: dict[str, Any]) -> bool:
    kind = kinds(room).get(example["kind"])
    try:
        return kind is not None and bool(kind.model_validate(example))
    except ValidationError:
        return False


def anchors(page: Path) -> set[str]:
    titles = [re.sub(r"[`*]", "", title) for title in sections(page)]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found), target


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting += [(page.parent / link).resolve() for link in re.findall(r"\]\(([^)#\s:]+)[^)]*\)", page.read_text())]
    assert not set(PAGES) - reached


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:`|\$ )make ([a-z]+)", page.read_text())
    assert set(named) <= targets


def test_the_readme_begins_with_the_two_commands_and_explains_every_target() -> None:
    text = README.read_text()
    assert re.match(r"# battle\n\n(?:.+\n){1,2}\n```console\n\$ make demo\n\$ make test\n```\n", text)
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert not [target for target in targets if target != "clean" and f"make {target}" not in text]


@pytest.mark.parametrize("path", [f"{name}" for name in re.findall(r"scenarios/[a-z-]+\.yaml", README.read_text())])
def test_scenarios_named_in_the_readme_exist(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("layout", [REQUEST, ATTEMPT], ids=["request", "attempt"])
def test_the_layouts_of_records_are_as_described(layout: "np.dtype[np.void]") -> None:
    rows = re.findall(r"^\| (\d+) \| (\d+) \| `(\w+)` \|", (DOCS / "architecture.md").read_text(), re.MULTILINE)
    described = [(name, int(offset), int(size)) for offset, size, name in rows]
    fields = layout.fields or {}
    expected = [(name, offset, kind.itemsize) for name, (kind, offset, *_) in fields.items()]
    assert any(described[start : start + len(expected)] == expected for start in range(len(described)))


def names_in(model: type[Any]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if hasattr(inner, "model_fields"):
                yield from names_in(inner)


@pytest.mark.parametrize("model", [Run, Analysis], ids=lambda model: model.__name__)
def test_every_field_of_the_run_document_is_described(model: type[Any]) -> None:
    text = REPORTS.read_text()
    assert not [name for name in names_in(model) if f"`{name}`" not in text and f".{name}`" not in text]


def test_every_kind_of_event_is_described() -> None:
    text = sections(REPORTS)["The journal"]
    assert not [kind for kind in EventKind if f"`{kind}`" not in text]
