"""Independent random streams from one seed, each known by its name.

Adding a stream changes no other: the stream's numbers depend on the seed and on its own name only.
"""

import hashlib
import random

import numpy as np

_BYTES = 16


def _digest(seed: int, names: tuple[str, ...]) -> int:
    text = "\x1f".join((str(seed), *names)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=_BYTES).digest(), "big")


def generator(seed: int, *names: str) -> np.random.Generator:
    """A numpy generator for the stream of this name."""
    return np.random.Generator(np.random.PCG64(_digest(seed, names)))


def chooser(seed: int, *names: str) -> random.Random:
    """A standard-library generator for the stream of this name, for single draws."""
    return random.Random(_digest(seed, names))  # noqa: S311  (reproducible on purpose)
