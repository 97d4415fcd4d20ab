"""nginx."""

import grp
import os
import pwd
import re
import resource
from typing import Any, ClassVar, Literal

from battle.core.ports.part import Part
from battle.core.ports.processes import Child, Context
from battle.core.ports.proxy import ProxyHandle
from battle.core.units import NS_PER_S, format_duration
from battle.core.witness import Witness
from battle.proxies.binaries import NGINX, Binary
from battle.proxies.configured import ConfiguredHandle, ConfiguredProxy, Plan
from battle.proxies.rendering import Upstream
from battle.system.addresses import accepts, wait_ready

_OPEN_FILES = 65536


class NginxOptions(Part):
    """What only nginx has."""

    non_idempotent: bool = True
    """Whether a POST that was sent may be tried again elsewhere; nginx's own default is no."""


class Nginx(ConfiguredProxy):
    """nginx: the next upstream on errors and timeouts, max_fails as the breaker, and every hop in a header.

    Its breaker counts failures within `open_for`, successes between them do not matter; its clock ticks in seconds, so
    a provider returns up to a second later. `attempt_timeout` bounds the connect and the time between two reads. It
    has no active health checks.
    """

    example: ClassVar[str] = "{kind: nginx, attempts: 3, options: {nginx: {non_idempotent: true}}}"
    honours: ClassVar[frozenset[str]] = frozenset({"attempts", "attempt_timeout", "breaker", "strategy"})
    options_type: ClassVar[type[Part] | None] = NginxOptions
    binary: ClassVar[Binary] = NGINX
    file_name: ClassVar[str] = "nginx.conf"

    kind: Literal["nginx"] = "nginx"

    def variables(self, plan: Plan) -> dict[str, Any]:
        """Adds the user to run as (nginx started by root would choose "nobody") and the limit of open files."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        run_as = f"{pwd.getpwuid(0).pw_name} {grp.getgrgid(0).gr_name}" if os.geteuid() == 0 else None
        open_files = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
        return super().variables(plan) | {"run_as": run_as, "open_files": open_files}

    def warn_of_differences(self, known: list[Upstream], context: Context) -> None:
        """Whole seconds only; one rank of backups only."""
        if self.breaker and self.breaker.open_for % NS_PER_S:
            rounded = -(-self.breaker.open_for // NS_PER_S)
            written = format_duration(self.breaker.open_for)
            context.warn(f"nginx counts whole seconds: the breaker opens for {rounded}s, not {written}")
        if self.strategy == "priority" and len(known) > 2:  # noqa: PLR2004  (the first, and one backup)
            backups = ", ".join(one.name for one in known[1:])
            context.warn(f"nginx knows one rank of backups: {backups} take turns when {known[0].name} is out")

    def argv(self, plan: Plan) -> list[str]:
        """In the foreground; what it says before it has read the file goes to the log too."""
        return [str(plan.program), "-e", "stderr", "-p", str(plan.directory), "-c", str(plan.config)]

    def check_argv(self, plan: Plan) -> list[str]:
        """The test that nginx has built in."""
        return [*self.argv(plan), "-t"]

    def blame(self, said: str, config: str) -> tuple[str, int | None]:
        """The first error; nginx names the line at its end."""
        del config
        told = [line for line in said.splitlines() if "[emerg]" in line or "[alert]" in line] or said.splitlines()
        message = told[0].partition("] ")[2] or told[0] if told else ""
        found = re.search(r" in \S.*:(\d+)$", message)
        return message, int(found[1]) if found else None

    async def wait_ready(self, plan: Plan, child: Child) -> None:
        """The port accepts."""
        await wait_ready(self.kind, child, lambda: accepts(plan.endpoint))

    def handle(self, plan: Plan, child: Child) -> ProxyHandle:
        """The running nginx; its X-Upstream lists every provider that was tried, the serving one last."""
        providers = {one.address: index for index, one in enumerate(plan.upstreams)}
        return ConfiguredHandle(plan.endpoint, plan.version, Witness("x-upstream", providers, separator=","), child)
