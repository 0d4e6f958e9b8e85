"""Run the command line as ``python -m coursekit``."""

from coursekit.cli import main

main()
