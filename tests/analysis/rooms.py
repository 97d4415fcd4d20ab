"""The kinds that simulated scenarios use: the real ones, or stand-ins where a room has none yet."""

from typing import Any, ClassVar, Literal

from battle.app import load_rooms
from battle.core import scenario
from battle.core.component import kinds
from battle.core.ports.provider import Provider
from battle.core.ports.proxy import Proxy
from battle.core.ports.wire import LoadProtocol


def enter_rooms() -> None:
    load_rooms()
    if not {"mock", "url"} <= set(kinds("providers")) or not {"envoy", "nginx", "none"} <= set(kinds("proxies")):
        _enter_stand_ins()
        scenario.rebuild()


def _enter_stand_ins() -> None:
    if "mock" not in kinds("providers"):

        class Mock(Provider):
            kind: Literal["mock"] = "mock"
            keeps_records: ClassVar[bool] = True
            skew: int = 0

        class Url(Provider):
            kind: Literal["url"] = "url"
            url: str

    if "envoy" not in kinds("proxies"):

        class Envoy(Proxy):
            kind: Literal["envoy"] = "envoy"
            tells_breakers: ClassVar[bool] = True

        class Nginx(Proxy):
            kind: Literal["nginx"] = "nginx"

        class NoProxy(Proxy):
            kind: Literal["none"] = "none"

    if "http" not in kinds("protocols"):

        class Http(LoadProtocol):
            kind: Literal["http"] = "http"

            def session(self, *args: Any, **kwargs: Any) -> Any:
                raise NotImplementedError
