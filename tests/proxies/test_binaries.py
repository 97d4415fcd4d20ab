from dataclasses import replace
from pathlib import Path

import pytest

from battle.errors import MissingDependency
from battle.proxies.binaries import ENVOY, NGINX

ABSENT = replace(ENVOY, packaged=lambda: None)


def program(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_package_before_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = program(tmp_path / "envoy")
    packaged = program(tmp_path / "packaged")
    monkeypatch.delenv("BATTLE_ENVOY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert replace(ENVOY, packaged=lambda: packaged).find() == packaged
    assert ABSENT.find() == on_path


def test_the_environment_chooses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = program(tmp_path / "mine")
    monkeypatch.setenv("BATTLE_NGINX", str(mine))
    assert NGINX.find() == mine
    monkeypatch.setenv("BATTLE_NGINX", str(tmp_path / "nowhere"))
    with pytest.raises(MissingDependency, match="BATTLE_NGINX names"):
        NGINX.find()


def test_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BATTLE_ENVOY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependency, match="envoy is not installed") as caught:
        ABSENT.find()
    assert caught.value.hint == "pip install 'battle[envoy]'"
