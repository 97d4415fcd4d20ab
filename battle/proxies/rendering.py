"""Configuration files of proxies: jinja2 templates, and what they are given.

Every template, a packaged one or the scenario's own (`template:`), is given

    providers        list of name, host, port, address ("host:port"), in the order of the scenario
    host, port       where the proxy must listen
    admin_port       a second free port, for an admin interface
    directory        the directory to write into, also the working directory
    attempts, attempt_timeout, breaker, strategy, health_check, options   the settings; durations in ns
    and what the kind adds

and the filters `seconds` ("0.5s"), `milliseconds` ("500ms"), `whole_seconds` ("1s", rounded up) and jinja2's own.
"""

import socket
from pathlib import Path
from typing import Any, NamedTuple

import anyio

from battle.core.ports.provider import ProviderHandle
from battle.core.ports.wire import Endpoint
from battle.core.units import NS_PER_MS, NS_PER_S
from battle.errors import SetupError

TEMPLATES = Path(__file__).parent / "templates"


class Upstream(NamedTuple):
    """One provider as a configuration file names it: its host is a numeric address."""

    name: str
    host: str
    port: int

    @property
    def address(self) -> str:
        """Host and port; IPv6 in brackets."""
        return str(Endpoint(self.host, self.port))


async def upstreams(kind: str, providers: list[ProviderHandle]) -> list[Upstream]:
    """The providers with their names resolved. Raises SetupError."""
    if not providers:
        raise SetupError(f"{kind} needs at least one provider to stand in front of")
    found = []
    for provider in providers:
        endpoint = provider.endpoint
        if endpoint.path.strip("/"):
            raise SetupError(
                f"{kind} cannot put the path {endpoint.path} in front of requests for {provider.name} only",
                hint="give the path in the stream's `path`",
            )
        try:
            answers = await anyio.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise SetupError(f"the host of provider {provider.name} is not known: {endpoint.host}") from error
        numeric = sorted((answer[0] != socket.AF_INET, str(answer[4][0])) for answer in answers)
        found.append(Upstream(provider.name, numeric[0][1], endpoint.port))
    return found


def seconds(ns: int) -> str:
    """Exact seconds, for example 500000000 -> "0.5s"."""
    text = f"{ns // NS_PER_S}.{ns % NS_PER_S:09d}".rstrip("0").rstrip(".")
    return f"{text}s"


def milliseconds(ns: int) -> str:
    """Milliseconds, rounded up."""
    return f"{-(-ns // NS_PER_MS)}ms"


def whole_seconds(ns: int) -> str:
    """Seconds, rounded up."""
    return f"{-(-ns // NS_PER_S)}s"


def render(template: Path, variables: dict[str, Any]) -> str:
    """The text of a template. It can read the variables and nothing else. Raises SetupError with its line."""
    from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError  # noqa: PLC0415  (slow to import)
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters.update(seconds=seconds, milliseconds=milliseconds, whole_seconds=whole_seconds)
    try:
        source = template.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"the template {template} cannot be read: {error}") from error
    try:
        return environment.from_string(source).render(variables)
    except TemplateSyntaxError as error:
        line = with_line(source, error.lineno, str(template))
        raise SetupError(f"the template has a mistake: {error.message}\n{line}") from error
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise SetupError(f"the template {template} cannot be rendered: {error}") from error


def with_line(text: str, number: int, name: str) -> str:
    """A line of a file as messages show it: "name:12: the line"."""
    lines = text.splitlines()
    shown = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return f"{name}:{number}: {shown}"
