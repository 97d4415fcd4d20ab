"""The way of a scenario from its file to the model, stage by stage; every mistake is collected, and raised at once."""

import os
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from battle.core.component import kinds
from battle.core.scenario import Scenario
from battle.loading.crosscheck import check_parts
from battle.loading.csv_files import CsvFiles
from battle.loading.faultless import without_faults
from battle.loading.files import check_certificates, with_absolute_paths
from battle.loading.locating import known_keys
from battle.loading.masking import masked_tree, to_yaml, with_secrets_marked
from battle.loading.merging import with_bases
from battle.loading.mistakes import Mistakes, suggestion
from battle.loading.names_known import names_in
from battle.loading.nodes import Entry, MapNode, Mark, Node, ScalarNode, at, key_place, plain, put, scalar, typed
from battle.loading.objectives_check import check_objectives, check_plan
from battle.loading.placeholders import Placeholders
from battle.loading.reading import read_text
from battle.loading.recordings import Recordings, Schedules
from battle.loading.validation import validate, without_free_keys
from battle.loading.yaml_nodes import MAX_NODES, MOST_STORED_NODES, parse_yaml

_SECTIONS = ("vars", "setup", "workload", "chaos", "slo", "tags")


@dataclass(frozen=True)
class Loaded:
    """A scenario that can be run.

    `data` is the resolved scenario with its secrets, JSON-ready; `Scenario.model_validate(data)` is `scenario` again.
    `masked_text` is the same as YAML, with secrets masked (see masking.py); `secrets` are those texts.
    `notes` are remarks that are no mistakes. `schedules` are the arrivals of its `replay` phases.
    """

    scenario: Scenario
    path: Path
    masked_text: str
    data: dict[str, Any] = field(repr=False)
    notes: list[str] = field(default_factory=list)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    schedules: Schedules = field(default_factory=dict, repr=False)

    def data_for(self, schedules: Mapping[tuple[str, int], Path]) -> dict[str, Any]:
        """`data` for a worker, with the files that the schedules of its `replay` phases were written to."""
        data = deepcopy(self.data)
        for (stream, phase), path in schedules.items():
            load = data["workload"][stream]["load"]
            (load[phase] if isinstance(load, list) else load)["recorded"]["schedule"] = str(path)
        return data


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line changes in a scenario, and the environment it is read in."""

    overrides: Mapping[str, str]
    seed: int | None
    proxy: str | None
    chaos: bool
    environment: Mapping[str, str]
    stored: bool = False


def load_scenario(
    path: str | Path,
    *,
    overrides: Mapping[str, str] | None = None,
    seed: int | None = None,
    proxy: str | None = None,
    chaos: bool = True,
    environment: Mapping[str, str] | None = None,
) -> Loaded:
    """The scenario in a file, with `--set`, `--seed` and `--proxy` applied; without `chaos`, its faults are left out.

    Raises ScenarioError with all mistakes, also with those in what is left out.
    """
    mistakes, path = Mistakes(), Path(path)
    asked = _Asked(overrides or {}, seed, proxy, chaos, os.environ if environment is None else environment)
    return _load(read_text(path, mistakes), path, mistakes, asked)


def load_text(
    text: str,
    name: str | Path = "scenario.yaml",
    *,
    overrides: Mapping[str, str] | None = None,
    seed: int | None = None,
    proxy: str | None = None,
    chaos: bool = True,
    environment: Mapping[str, str] | None = None,
    stored: bool = False,
) -> Loaded:
    """The scenario in a text, as `load_scenario`. `name` stands for the file in messages; paths are relative to it.

    A `stored` one has run, and holds all that is needed to judge it: the files that it names may be gone.
    """
    asked = _Asked(overrides or {}, seed, proxy, chaos, os.environ if environment is None else environment, stored)
    return _load(text, Path(name), Mistakes(), asked)


def _load(text: str, path: Path, mistakes: Mistakes, asked: _Asked) -> Loaded:
    tree = parse_yaml(text, path, mistakes, MOST_STORED_NODES if asked.stored else MAX_NODES)
    tree = with_bases(tree, path, mistakes)
    csv_files = CsvFiles(mistakes)
    placeholders = _placeholders(tree, asked, mistakes, csv_files)
    recordings = Recordings(placeholders.fill, mistakes)
    if not asked.stored:
        tree = _filled(tree, placeholders, asked)
    if asked.seed is not None or "seed" not in tree.entries:
        value = Scenario.model_fields["seed"].default if asked.seed is None else asked.seed
        tree = _with(tree, ("seed",), scalar(Mark(path, 1, 1), value))
    if asked.proxy is not None:
        tree = _with_proxy(tree, asked.proxy, mistakes)
    if not asked.stored:
        tree = recordings.applied(tree)
    tree = with_secrets_marked(tree, mistakes.secrets)
    tree = with_absolute_paths(tree, mistakes, must_exist=not asked.stored)
    final, scenario, notes = _checked(tree, mistakes)
    if not mistakes.problems and scenario is not None and not asked.stored:
        adapted, remarks = _adapted(final, scenario, csv_files, asked)
        if adapted is not final and not mistakes.problems:
            final, scenario, notes = _checked(adapted, mistakes)
        notes = [*notes, *recordings.notes, *remarks]
    if not mistakes.problems and scenario is not None and not asked.stored:
        check_certificates(scenario, final, mistakes)
    if mistakes.problems or scenario is None:
        raise mistakes.error()
    masked = masked_tree(final, _problem_marks)
    secrets = frozenset(secret for secret in mistakes.secrets if secret)
    return Loaded(scenario, path, to_yaml(plain(masked)), plain(final), notes, secrets, recordings.schedules)


def _adapted(tree: Node, scenario: Scenario, csv_files: CsvFiles, asked: _Asked) -> tuple[Node, list[str]]:
    """A sound scenario, ended where its CSV rows end, and without its faults if these are not wanted."""
    tree, remarks = csv_files.limited(tree, scenario)
    if not asked.chaos:
        tree, more = without_faults(tree, scenario)
        remarks += more
    return tree, remarks


def _placeholders(tree: MapNode, asked: _Asked, mistakes: Mistakes, csv_files: CsvFiles) -> Placeholders:
    declared = at(tree, ("vars",))
    variables = declared if isinstance(declared, MapNode) else MapNode(key_place(tree, ("vars",)))
    overrides = {name: typed(value) for name, value in asked.overrides.items()}
    return Placeholders(variables, overrides, asked.environment, mistakes, csv_files)


def _filled(tree: MapNode, placeholders: Placeholders, asked: _Asked) -> MapNode:
    """Without free keys and empty sections, and with every placeholder filled in."""
    bare = without_free_keys(tree)
    entries = bare.entries if isinstance(bare, MapNode) else {}
    kept = {
        key: entry
        for key, entry in entries.items()
        if not (key in _SECTIONS and isinstance(entry.value, ScalarNode) and entry.value.value is None)
    }
    rest = {
        key: Entry(entry.mark, placeholders.resolve(entry.value, 2)) for key, entry in kept.items() if key != "vars"
    }
    if isinstance(at(tree, ("vars",)), MapNode) or asked.overrides:
        values = placeholders.variables()
        mark = tree.entries["vars"].mark if "vars" in tree.entries else tree.mark
        rest = {key: rest.get(key) or Entry(mark, values) for key in dict.fromkeys([*kept, "vars"])}
    elif "vars" in kept:
        rest["vars"] = kept["vars"]
    placeholders.check_overrides()
    return replace(tree, entries=rest)


def _with_proxy(tree: MapNode, kind: str, mistakes: Mistakes) -> MapNode:
    """The scenario on another kind of proxy; settings that only the former kind has are left out."""
    known = kinds("proxies")
    if kind not in known:
        mistakes.add_usage(f"--proxy {kind}: unknown kind of proxy", suggestion(kind, known))
        return tree
    former = at(tree, ("setup", "proxy"))
    if not isinstance(former, MapNode):
        mark = former.mark if former else key_place(tree, ("setup",))
        return _with(tree, ("setup", "proxy"), MapNode(mark, {"kind": Entry(mark, scalar(mark, kind))}))
    own = at(former, ("kind",))
    lost = known_keys([known[str(own.value)]]) if isinstance(own, ScalarNode) and own.value in known else []
    kept = set(known_keys([known[kind]]))
    entries = {key: entry for key, entry in former.entries.items() if key in kept or key not in lost}
    mark = own.mark if own else former.mark
    entries["kind"] = Entry(entries["kind"].mark if "kind" in entries else mark, scalar(mark, kind))
    return _with(tree, ("setup", "proxy"), replace(former, entries=entries))


def _checked(tree: Node, mistakes: Mistakes) -> tuple[Node, Scenario | None, list[str]]:
    valid = validate(tree, mistakes)
    if valid.scenario is None:
        return valid.tree, None, []
    names = names_in(tree)
    notes = check_parts(valid, names, mistakes)
    check_objectives(valid.scenario, valid.tree, names, mistakes)
    if not mistakes.problems:
        check_plan(valid.scenario, valid.tree, mistakes)
    return valid.tree, valid.scenario, notes


def _problem_marks(tree: Node) -> set[Mark]:
    """Where a tree has mistakes."""
    mistakes = Mistakes()
    _checked(tree, mistakes)
    return {Mark(problem.file, problem.line or 0, problem.column or 0) for problem in mistakes.problems}


def _with(tree: MapNode, path: tuple[str, ...], value: Node) -> MapNode:
    changed = put(tree, path, value)
    return changed if isinstance(changed, MapNode) else tree
