"""What the plugins log: names and numbers of students on the debug level alone."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nbgrader.plugins import BasePlugin

from coursekit.errors import KitError

WITHHELD = "… (--debug tells which)"


@contextmanager
def one_sentence(plugin: BasePlugin) -> Iterator[None]:
    """End nbgrader's command with one sentence where a user can mend the failure.

    A `KitError` may name no student; where it was raised from another one, that one may, and is
    told on the debug level.

    Parameters
    ----------
    plugin : BasePlugin
    """
    try:
        yield
    except KitError as problem:
        if problem.__cause__ is not None:
            plugin.log.debug("%s", problem.__cause__)
        plugin.log.error("%s", problem)
        sys.exit(1)
    except OSError as problem:
        plugin.log.debug("%s", problem)
        plugin.log.error(
            "A file cannot be read or written: %s (--debug tells which)", problem.strerror
        )
        sys.exit(1)


class Discretion(logging.Filter):
    """Keep students out of what nbgrader logs of each file, short of the debug level.

    Parameters
    ----------
    logger : logging.Logger
        nbgrader's, which is to have this filter.
    folders : list of str
        In which folders and files bear the students' numbers and names.
    """

    def __init__(self, logger: logging.Logger, folders: list[str]):
        super().__init__()
        self.logger = logger
        paths = [re.escape(os.path.join(folder, "")) for folder in folders]
        # The last two are what nbgrader calls a notebook by.
        before = "|".join([*paths, "notebook name '", "invalid name '"])
        self.personal = re.compile(rf"({before})[^\n]+")

    def filter(self, record: logging.LogRecord) -> bool:
        """Let through what names no student, and of warnings and errors the rest of the sentence.

        Parameters
        ----------
        record : logging.LogRecord

        Returns
        -------
        bool
        """
        text = record.getMessage()
        general = self.personal.sub(rf"\1{WITHHELD}", text)
        if record.levelno <= logging.DEBUG or general == text:
            return True
        self.logger.debug("%s", text)
        record.msg, record.args = general, ()
        return record.levelno >= logging.WARNING
