"""Whether a server answers, asked over HTTP."""

from battle.core.keys import PROBE_ID
from battle.core.ports.wire import Endpoint

_PATIENCE_S = 2.0


async def answers_path(endpoint: Endpoint, path: str) -> bool:
    """Whether GET of a path gives a 2xx."""
    import httpx  # noqa: PLC0415  (slow to import: not for those who never ask)

    async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE_S) as client:
        try:
            return (await client.get(f"{endpoint.url}{path}")).is_success
        except httpx.HTTPError:
            return False


async def answers_call(endpoint: Endpoint, method: str) -> bool:
    """Whether a JSON-RPC call without parameters gives a result."""
    import httpx  # noqa: PLC0415  (slow to import: not for those who never ask)

    call = {"jsonrpc": "2.0", "id": PROBE_ID, "method": method, "params": []}
    async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE_S) as client:
        try:
            reply = (await client.post(endpoint.url, json=call)).json()
        except (httpx.HTTPError, ValueError):
            return False
    return isinstance(reply, dict) and "result" in reply
