import socket

import pytest
from cli.commands import refused

from battle.errors import ExitCode


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--latency", "5"), "--latency"),
        (("--jitter", "soon"), "--jitter"),
        (("--error-rate", "200%"), "--error-rate"),
        (("--block-time", "0s"), "--block-time"),
        (("--chain-id", "0"), "--chain-id"),
        (("--port", "99999"), "--port"),
        (("--name", "a b"), "--name"),
    ],
)
def test_bad_settings_name_their_option(arguments: tuple[str, ...], words: str) -> None:
    assert refused("provider", *arguments).message.startswith(words)


def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert port in refused("provider", "--port", port, code=ExitCode.SETUP_FAILED).message
