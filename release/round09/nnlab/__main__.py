"""The students' commands: ``python -m nnlab hand-in``."""

import argparse
import sys

from nnlab.handing_in.command import add_hand_in


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : list of str, optional
        Without the program's name; those of the command line by default.

    Returns
    -------
    int
        0 if it was done, 1 if not; wrong usage ends with 2.
    """
    parser = argparse.ArgumentParser(prog="python -m nnlab", description="Help with round 9.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_hand_in(commands)
    options = parser.parse_args(arguments)
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
