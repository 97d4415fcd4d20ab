from pathlib import Path

import pytest

from battle.errors import ScenarioError
from battle.loading import Loaded, load_scenario


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        target = folder / f"{name}.yaml"
        target.write_text(text)
    return folder / f"{next(iter(files))}.yaml"


def load(folder: Path, sound: str, own: str) -> Loaded:
    return load_scenario(write(folder, own=f"extends: base.yaml\n{own}", base=sound))


def test_mappings_are_merged_and_lists_replaced(tmp_path: Path, sound: str) -> None:
    loaded = load(tmp_path, sound, "name: own\nsetup: {providers: {beta: {latency: 9ms}}}\nslo: [p50 <= 1s]\n")
    assert loaded.scenario.name == "own"
    assert loaded.scenario.provider_names == ["alpha", "beta"]
    assert loaded.data["setup"]["providers"]["beta"] == {"kind": "mock", "latency": "9ms"}
    assert [objective.objective for objective in loaded.scenario.slo] == ["p50 <= 1s"]
    assert "extends" not in loaded.data


def test_vars_are_merged_before_they_are_filled_in(tmp_path: Path, sound: str) -> None:
    assert load(tmp_path, sound, "vars: {rate: 77/s}").data["workload"]["reads"]["load"][1]["rate"] == "77/s"


def test_another_kind_replaces_what_was_underneath(tmp_path: Path, sound: str) -> None:
    loaded = load(tmp_path, sound, "chaos: {kill-alpha: {kind: pause, target: beta, at: 5s, for: 2s}}\n")
    assert loaded.data["chaos"]["kill-alpha"] == {"kind": "pause", "target": "beta", "at": "5s", "for": "2s"}


def test_the_settings_of_all_proxies_outlive_another_kind(tmp_path: Path, sound: str) -> None:
    base = sound.replace("{kind: none}", "{kind: envoy, attempts: 2}")
    assert load(tmp_path, base, "setup: {proxy: {kind: nginx}}").data["setup"]["proxy"] == {
        "kind": "nginx",
        "attempts": 2,
    }


def test_marks_keep_their_own_file(tmp_path: Path, sound: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path, sound.replace("latency: 5ms", "lateny: 5ms"), "chaos:\n  kill-alpha: {foor: 3s}\n")
    found = [(p.file.name if p.file else None, p.line, p.column, p.message) for p in caught.value.problems]
    assert found == [("base.yaml", 5, 25, "unknown key 'lateny'"), ("own.yaml", 3, 16, "unknown key 'foor'")]


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path, sound: str) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep", middle="extends: ../base.yaml\nname: middle")
    file = write(tmp_path, own="extends: deep/middle.yaml", base=sound)
    assert load_scenario(file).scenario.name == "middle"


@pytest.mark.parametrize(
    ("files", "place", "message"),
    [
        ({"a": "extends: a.yaml"}, ("a.yaml", 1, 10), "a.yaml extends itself"),
        ({"a": "extends: b.yaml", "b": "x-x: 1\nextends: a.yaml"}, ("b.yaml", 2, 10), "a.yaml extends itself"),
        ({"a": "name: x\nextends: gone.yaml"}, ("a.yaml", 2, 10), "gone.yaml does not exist"),
        ({"a": "extends: ."}, ("a.yaml", 1, 10), "is a directory"),
        ({"a": "extends: [b]"}, ("a.yaml", 1, 1), "takes the name of one file"),
        ({"a": "extends: 3"}, ("a.yaml", 1, 1), "takes the name of one file"),
        ({"a": 'extends: "\\0"'}, ("a.yaml", 1, 10), "takes the name of one file"),
        ({"a": "extends: b.yaml", "b": "a: [${x}]"}, ("b.yaml", 1, 6), "not YAML"),
        (
            {f"f{n}": f"extends: f{n + 1}.yaml" for n in range(12)},
            ("f8.yaml", 1, 10),
            "more than 8 files extend each other",
        ),
    ],
)
def test_what_cannot_be_extended(
    tmp_path: Path, files: dict[str, str], place: tuple[str, int, int], message: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(write(tmp_path, **files))
    found = [p for p in caught.value.problems if message in p.message]
    assert [(p.file.name if p.file else None, p.line, p.column) for p in found] == [place]
