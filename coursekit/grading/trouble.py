"""What went wrong, in words for whoever grades."""

import errno

from sqlalchemy.exc import DatabaseError

from coursekit.errors import KitError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED")


def told(problem: BaseException) -> str:
    """Say in a sentence what an exception means.

    Parameters
    ----------
    problem : BaseException

    Returns
    -------
    str
    """
    if isinstance(problem, KitError):
        return str(problem)
    if isinstance(problem, DatabaseError):
        if _name(problem.orig).startswith(LOCKED):
            return (
                "another program was writing to the gradebook (the formgrader?); grade this "
                "student again."
            )
        return f"the gradebook: {problem.orig}"
    if isinstance(problem, OSError) and problem.strerror:
        return f"{f'{problem.filename}: ' if problem.filename else ''}{problem.strerror}."
    return f"{type(problem).__name__}: {problem}"


def is_full_disk(problem: BaseException) -> bool:
    """Tell whether an exception, or what it came from, is that the disk is full.

    Parameters
    ----------
    problem : BaseException

    Returns
    -------
    bool
    """
    while problem is not None:
        if isinstance(problem, OSError) and problem.errno in NO_ROOM:
            return True
        cause = problem.orig if isinstance(problem, DatabaseError) else problem
        if _name(cause) == "SQLITE_FULL":
            return True
        problem = problem.__cause__ or problem.__context__
    return False


def _name(problem) -> str:
    """Give SQLite's own name of an error."""
    return getattr(problem, "sqlite_errorname", "")
