"""The usual read methods of an Ethereum node, answered from the shared chain. Pure."""

from collections.abc import Callable
from typing import Any

from battle.providers.chain import Chain


class MethodError(Exception):
    """A JSON-RPC error as the answer to a call."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


Method = Callable[[Chain, list[Any], int], Any]
"""(chain, params, height) -> result. Raises MethodError."""

_NEWEST = frozenset({"latest", "pending", "safe", "finalized"})


def _height_in(param: Any, height: int) -> int | None:
    """The height that a block parameter names; None for one that is not there yet."""
    if param is None or (isinstance(param, str) and param in _NEWEST):
        return height
    if param == "earliest":
        return 0
    try:
        named = int(param, 16)
    except (TypeError, ValueError):
        raise MethodError(-32602, f"invalid block parameter {param!r}") from None
    if named < 0:
        raise MethodError(-32602, f"invalid block parameter {param!r}")
    return named if named <= height else None


def _first(params: list[Any]) -> Any:
    if not params:
        raise MethodError(-32602, "missing parameter")
    return params[0]


def _block_by_number(chain: Chain, params: list[Any], height: int) -> Any:
    wanted = _height_in(_first(params), height)
    return None if wanted is None else chain.block(wanted)


def _block_by_hash(chain: Chain, params: list[Any], height: int) -> Any:
    wanted = chain.height_of(_first(params))
    return None if wanted is None or wanted > height else chain.block(wanted)


def _always(value: Any) -> Method:
    """A method that needs a parameter and gives the same for each."""

    def method(chain: Chain, params: list[Any], height: int) -> Any:
        del chain, height
        _first(params)
        return value

    return method


METHODS: dict[str, Method] = {
    "eth_blockNumber": lambda _, __, height: hex(height),
    "eth_chainId": lambda chain, _, __: hex(chain.chain_id),
    "net_version": lambda chain, _, __: str(chain.chain_id),
    "net_listening": lambda *_: True,
    "web3_clientVersion": lambda *_: "battle-mock/1",
    "eth_syncing": lambda *_: False,
    "eth_gasPrice": lambda chain, _, height: chain.number_from("price", height, 32),
    "eth_maxPriorityFeePerGas": lambda *_: hex(1_000_000_000),
    "eth_getBalance": lambda chain, params, _: chain.number_from("balance", _first(params), 64),
    "eth_getTransactionCount": lambda chain, params, _: chain.number_from("nonce", _first(params), 16),
    "eth_getCode": _always("0x"),
    "eth_getStorageAt": lambda chain, params, _: chain.hash_of("storage", params),
    "eth_call": lambda chain, params, _: chain.hash_of("call", _first(params)),
    "eth_estimateGas": _always(hex(21_000)),
    "eth_getLogs": _always([]),
    "eth_getBlockByNumber": _block_by_number,
    "eth_getBlockByHash": _block_by_hash,
    "eth_getTransactionByHash": _always(None),
    "eth_getTransactionReceipt": _always(None),
    "eth_sendRawTransaction": lambda chain, params, _: chain.hash_of("transaction", _first(params)),
    "eth_feeHistory": lambda chain, _, height: {
        "oldestBlock": hex(height),
        "baseFeePerGas": [chain.number_from("fee", height, 32)] * 2,
        "gasUsedRatio": [0.5],
    },
}


def result_of(chain: Chain, method: str, params: Any, height: int) -> Any:
    """The result of a call. Raises MethodError, also for a method that nobody knows."""
    known = METHODS.get(method)
    if known is None:
        raise MethodError(-32601, f"the method {method} does not exist")
    return known(chain, params if isinstance(params, list) else [], height)
