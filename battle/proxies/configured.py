"""Proxies that battle configures, checks and starts: what Envoy and nginx have in common."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from battle.core.ports.processes import Child, Context
from battle.core.ports.provider import ProviderHandle
from battle.core.ports.proxy import Proxy, ProxyHandle
from battle.core.ports.wire import Endpoint
from battle.core.witness import Witness
from battle.errors import SetupError
from battle.proxies.binaries import Binary
from battle.proxies.checking import check_config, start_over, version_of
from battle.proxies.rendering import TEMPLATES, Upstream, render, upstreams
from battle.system.addresses import LOOPBACK, free_port

_TRIES = 3
"""A port that was free may be taken before the proxy binds it, for example by an outgoing connection."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to start a proxy: for whom, where, and on which ports."""

    program: Path
    version: str
    upstreams: list[Upstream]
    directory: Path
    config: Path
    endpoint: Endpoint
    admin_port: int


@dataclass(frozen=True)
class ConfiguredHandle:
    """A proxy that battle started (core.ports.proxy.ProxyHandle and Endable)."""

    endpoint: Endpoint
    version: str
    witness: Witness | None
    child: Child

    @property
    def pid(self) -> int | None:
        """The root of its process tree."""
        return self.child.pid

    async def wait(self) -> int:
        """Wait until it ends; gives the status."""
        return await self.child.wait()


class ConfiguredProxy(Proxy):
    """A proxy whose configuration is a template."""

    binary: ClassVar[Binary]
    file_name: ClassVar[str]
    """Of the configuration; the packaged template's name is this and ".j2"."""

    @asynccontextmanager
    async def start(self, providers: list[ProviderHandle], context: Context) -> AsyncIterator[ProxyHandle]:
        """Configure and start it in front of providers that already listen. Raises SetupError."""
        program = self.binary.find()
        known = await upstreams(self.kind, providers)
        directory = context.run_dir.absolute() / "proxy"
        directory.mkdir(parents=True, exist_ok=True)
        version = await version_of(self.binary, program, directory, context)
        self.warn_of_differences(known, context)
        plan, child = await self._started(program, version, known, directory, context)
        try:
            yield self.handle(plan, child)
        finally:
            await child.end()

    async def _started(
        self, program: Path, version: str, known: list[Upstream], directory: Path, context: Context
    ) -> tuple[Plan, Child]:
        for left in reversed(range(_TRIES)):
            plan = Plan(
                program,
                version,
                known,
                directory,
                directory / self.file_name,
                Endpoint(LOOPBACK, free_port()),
                free_port(),
            )
            try:
                return plan, await self._started_once(plan, context)
            except SetupError as error:
                if not left or "address already in use" not in (error.log or "").lower():
                    raise
        raise AssertionError("unreachable")

    async def _started_once(self, plan: Plan, context: Context) -> Child:
        template = self.template or TEMPLATES / f"{self.file_name}.j2"
        plan.config.write_text(render(template, self.variables(plan)))
        await check_config(self.check_argv(plan), self.kind, plan.config, context, self.blame)
        log = plan.directory / f"{self.kind}.log"
        start_over(log)
        child = await context.launcher.start(self.argv(plan), name=self.kind, log=log, cwd=plan.directory)
        try:
            await self.wait_ready(plan, child)
        except BaseException:
            await child.end()
            raise
        return child

    def variables(self, plan: Plan) -> dict[str, Any]:
        """What the template is given."""
        return {
            "providers": plan.upstreams,
            "host": plan.endpoint.host,
            "port": plan.endpoint.port,
            "admin_port": plan.admin_port,
            "directory": str(plan.directory),
            "attempts": self.attempts,
            "attempt_timeout": self.attempt_timeout,
            "breaker": self.breaker,
            "strategy": self.strategy,
            "health_check": self.health_check,
            "options": self.own_options(),
        }

    def own_options(self) -> Any:
        """What stands under `options: {<kind>: …}`, as a model."""
        return self.options_type.model_validate(self.options.get(self.kind, {})) if self.options_type else None

    def warn_of_differences(self, known: list[Upstream], context: Context) -> None:
        """Say where this proxy cannot do exactly what the settings say."""

    @abstractmethod
    async def wait_ready(self, plan: Plan, child: Child) -> None:
        """Wait until it serves. Raises SetupError."""

    @abstractmethod
    def argv(self, plan: Plan) -> list[str]:
        """How it is started."""

    @abstractmethod
    def check_argv(self, plan: Plan) -> list[str]:
        """How it checks its configuration without serving."""

    @abstractmethod
    def blame(self, said: str, config: str) -> tuple[str, int | None]:
        """Of what the check printed: the message, and the line of the configuration that it is about."""

    @abstractmethod
    def handle(self, plan: Plan, child: Child) -> ProxyHandle:
        """The running proxy."""
