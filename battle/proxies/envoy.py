"""Envoy."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field

from battle.core.ports.part import Part
from battle.core.ports.processes import Child
from battle.core.ports.proxy import BreakerChange
from battle.core.units import NS_PER_S, Duration
from battle.core.witness import Witness
from battle.proxies.binaries import ENVOY, Binary
from battle.proxies.configured import ConfiguredHandle, ConfiguredProxy, Plan
from battle.proxies.ejections import Ejections
from battle.proxies.log_tail import LogTail, follow
from battle.system.addresses import accepts, wait_ready

_OUTLIERS = "outliers.jsonl"
_HEALTH = "health.jsonl"
_OWN_ANSWERS = (502, 503, 504)
"""What Envoy answers by itself when every attempt failed; `x-upstream` then names a host that did not serve."""


class EnvoyOptions(Part):
    """What only Envoy has. The defaults keep away from traps: no panic mode, ejections that do not grow."""

    interval: Duration = Field(default=NS_PER_S // 2, gt=0)
    max_ejection_percent: int = Field(default=100, ge=0, le=100)
    max_ejection_time: Duration | None = Field(default=None, gt=0)
    """The longest ejection; open_for when absent, so that repeated ejections do not grow."""
    healthy_panic_threshold: int = Field(default=0, ge=0, le=100)
    update_merge_window: Duration = 0


@dataclass(frozen=True)
class EnvoyHandle(ConfiguredHandle):
    """A running Envoy."""

    plan: Plan

    async def breaker_changes(self) -> AsyncIterator[BreakerChange]:
        """Ejections and returns from its logs, about 50 ms after they happen, until cancelled."""
        ejections = Ejections({one.address: one.name for one in self.plan.upstreams})
        async for line in follow(*(LogTail(self.plan.directory / name) for name in (_OUTLIERS, _HEALTH))):
            if change := ejections.read(line):
                yield change


class Envoy(ConfiguredProxy):
    """Envoy: retries at other hosts, outlier detection as the breaker, and its own word on who served."""

    example: ClassVar[str] = "{kind: envoy, attempts: 3, attempt_timeout: 500ms, breaker: {failures: 5, open_for: 5s}}"
    honours: ClassVar[frozenset[str]] = frozenset(ConfiguredProxy.common)
    tells_breakers: ClassVar[bool] = True
    options_type: ClassVar[type[Part] | None] = EnvoyOptions
    binary: ClassVar[Binary] = ENVOY
    file_name: ClassVar[str] = "envoy.yaml"

    kind: Literal["envoy"] = "envoy"

    def variables(self, plan: Plan) -> dict[str, Any]:
        """Adds the logs, the health check's call, and the longest ejection."""
        options = self.own_options()
        open_for = self.breaker.open_for if self.breaker else 0
        method = self.health_check.method if self.health_check else ""
        return super().variables(plan) | {
            "outlier_log": str(plan.directory / _OUTLIERS),
            "health_log": str(plan.directory / _HEALTH),
            "health_call": json.dumps({"jsonrpc": "2.0", "id": 0, "method": method, "params": []}),
            "max_ejection_time": max(options.max_ejection_time or 0, open_for),
        }

    def argv(self, plan: Plan) -> list[str]:
        """One worker thread; logs flushed every 50 ms, not 10 s; no shared memory, which would outlive it."""
        flags = ["--concurrency", "1", "--disable-hot-restart", "--file-flush-interval-msec", "50"]
        return [str(plan.program), "-c", str(plan.config), *flags, "--log-level", "warning"]

    def check_argv(self, plan: Plan) -> list[str]:
        """Envoy's own validation."""
        return [str(plan.program), "--mode", "validate", "-c", str(plan.config), "--log-level", "error"]

    def blame(self, said: str, config: str) -> tuple[str, int | None]:
        """The last line that tells of an error; Envoy names lines for YAML mistakes, fields for all others."""
        told = [line for line in said.splitlines() if "error" in line.lower()] or said.splitlines() or [""]
        message = " ".join(re.sub(r"^(\[[^\]]*\]\s*)+", "", told[-1]).split())  # protobuf varies its blanks on purpose
        if found := re.search(r"at line (\d+)", message):
            return message, int(found[1])
        for word in re.findall(r"no such field: '(\w+)'", message):
            for number, line in enumerate(config.splitlines(), 1):
                if re.search(rf"\b{word}\b", line):
                    return message, number
        return message, None

    async def wait_ready(self, plan: Plan, child: Child) -> None:
        """Its admin says LIVE (after the first health checks), and the port accepts."""
        import httpx  # noqa: PLC0415  (slow to import: it has time while Envoy starts)

        async with httpx.AsyncClient(trust_env=False, timeout=1) as client:

            async def ready() -> bool:
                try:
                    answer = await client.get(f"http://{plan.endpoint.host}:{plan.admin_port}/ready")
                except httpx.HTTPError:
                    return False
                return answer.text.strip() == "LIVE" and await accepts(plan.endpoint)

            await wait_ready(self.kind, child, ready)

    def handle(self, plan: Plan, child: Child) -> EnvoyHandle:
        """The running Envoy; its response headers tell who served and in how many attempts."""
        providers = {one.address: index for index, one in enumerate(plan.upstreams)}
        witness = Witness("x-upstream", providers, "x-envoy-attempt-count", untrusted_status=_OWN_ANSWERS)
        return EnvoyHandle(plan.endpoint, plan.version, witness, child, plan)
