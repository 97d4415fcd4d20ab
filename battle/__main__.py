"""The command: `battle …` and `python -m battle …`."""

import sys


def main() -> None:
    """Run the command line; a load worker skips it, since its start is on the way to the first request."""
    if len(sys.argv) == 3 and sys.argv[1] == "_worker":  # noqa: PLR2004  (the word and the socket)
        from battle.app import worker_main  # noqa: PLC0415

        worker_main(sys.argv[2])
        return
    from battle.cli.main import run  # noqa: PLC0415  (a worker needs none of it)

    run()


if __name__ == "__main__":
    main()
