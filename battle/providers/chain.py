"""The chain that all mock providers of a run agree on: its height is a function of time, its hashes of height. Pure."""

import hashlib
from typing import Any

GENESIS_HEIGHT = 20_000_000
"""Where the chain stands when the run begins: real nodes are never at block 0, a restarted one is."""
_LOW = (1 << 64) - 1


class Chain:
    """A chain that grows by a block every `block_time_ns` since `genesis_ns` (CLOCK_MONOTONIC)."""

    def __init__(self, chain_id: int, genesis_ns: int, block_time_ns: int, skew: int = 0) -> None:
        self.chain_id = chain_id
        self._genesis_ns = genesis_ns
        self._block_time_ns = max(1, block_time_ns)
        self._skew = skew

    def height(self, now_ns: int) -> int:
        """The newest block at this instant, as a provider that lags by `skew` blocks sees it."""
        height = GENESIS_HEIGHT + (now_ns - self._genesis_ns) // self._block_time_ns - self._skew
        return height if height > 0 else 0  # noqa: FURB136  (max() takes as long as all the rest)

    def hash_of(self, *parts: object) -> str:
        """A hash of 32 bytes that depends on the chain and on these parts only."""
        text = ":".join(map(str, (self.chain_id, *parts))).encode()
        return "0x" + hashlib.blake2b(text, digest_size=32).hexdigest()

    def number_from(self, text: str, of: object, bits: int) -> str:
        """A number that depends on the chain and these texts only, as a hexadecimal quantity."""
        return hex(int(self.hash_of(text, of), 0) >> (256 - bits))

    def block_hash(self, height: int) -> str:
        """The hash of the block at a height. Its last 16 digits are the height, so that it can be found again."""
        return f"{self.hash_of('block', height)[:-16]}{height & _LOW:016x}"

    def height_of(self, block_hash: Any) -> int | None:
        """The height of the block with this hash; None when the chain has no such block."""
        try:
            height = int(str(block_hash)[-16:], 16)
        except ValueError:
            return None
        return height if self.block_hash(height) == block_hash else None

    def block(self, height: int) -> dict[str, Any]:
        """The block at a height, without transactions."""
        return {
            "number": hex(height),
            "hash": self.block_hash(height),
            "parentHash": self.block_hash(height - 1),
            "timestamp": hex(1_700_000_000 + height),
            "miner": "0x" + "00" * 20,
            "gasLimit": hex(30_000_000),
            "gasUsed": self.number_from("gas", height, 24),
            "baseFeePerGas": self.number_from("fee", height, 32),
            "difficulty": "0x0",
            "extraData": "0x",
            "transactions": [],
            "uncles": [],
        }
