"""`battle provider`: one mock provider by itself."""

from typing import Annotated

import typer

_EXAMPLE = """[bold]Examples[/bold]

  battle provider --port 8545

  battle provider --latency 20ms --jitter 5ms --error-rate 1%
"""


def enter(app: typer.Typer) -> None:
    """Register the command."""
    app.command("provider", epilog=_EXAMPLE)(provider)


def provider(  # noqa: PLR0917  (typer reads the options from the signature)
    port: Annotated[int | None, typer.Option(help="Where it listens on loopback; a free port when absent.")] = None,
    latency: Annotated[str, typer.Option(help="How long an answer takes.")] = "0s",
    jitter: Annotated[str, typer.Option(help="How much that varies.")] = "0s",
    error_rate: Annotated[str, typer.Option(help="The share of answers that are HTTP 500.")] = "0%",
    block_time: Annotated[str, typer.Option(help="How often its chain grows.")] = "1s",
    chain_id: Annotated[int, typer.Option(help="What eth_chainId answers.")] = 1,
    name: Annotated[str, typer.Option(help="Its name; its random numbers depend on it.")] = "mock",
) -> None:
    """Run one mock JSON-RPC provider in the foreground, until Ctrl-C."""
    from pydantic import ValidationError  # noqa: PLC0415  (heavy: not for --help)

    from battle import app as program  # noqa: PLC0415
    from battle.core.names import check_name  # noqa: PLC0415
    from battle.errors import SetupError, UsageError  # noqa: PLC0415

    settings = {"port": port, "latency": latency, "jitter": jitter, "error_rate": error_rate}
    try:
        check_name(name)
    except ValueError as error:
        raise UsageError(f"--name: {error}") from error
    try:
        program.serve_mock({**settings, "block_time": block_time, "chain_id": chain_id}, name, typer.echo)
    except ValidationError as error:
        first = error.errors()[0]
        option = "--" + str(first["loc"][0]).replace("_", "-")
        raise UsageError(f"{option}: {first['msg'].removeprefix('Value error, ')}") from error
    except OSError as error:
        raise SetupError(f"the provider cannot serve: {error.strerror}", hint="choose another --port") from error
