"""Restrict which files a process reaches, by Linux' Landlock.

Landlock needs no rights and no helper program. The package of that name on PyPI never left
development, so its three system calls are called here (see landlock(7) and
https://docs.kernel.org/userspace-api/landlock.html).
"""

import ctypes
import errno
import os
import stat
import struct

_libc = ctypes.CDLL(None, use_errno=True)
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_PATH_BENEATH = 1
_SET_NO_NEW_PRIVS = 38

# Rights, in the order of the kernel's header.
(
    EXECUTE,
    WRITE_FILE,
    READ_FILE,
    READ_DIR,
    REMOVE_DIR,
    REMOVE_FILE,
    MAKE_CHAR,
    MAKE_DIR,
    MAKE_REG,
    MAKE_SOCK,
    MAKE_FIFO,
    MAKE_BLOCK,
    MAKE_SYM,
    REFER,
    TRUNCATE,
    IOCTL_DEV,
) = (1 << bit for bit in range(16))
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

LIST = READ_DIR
READ = READ_FILE | READ_DIR
DEVICE = READ_FILE | WRITE_FILE
WORK = READ | WRITE_FILE | TRUNCATE | MAKE_REG | MAKE_DIR | REMOVE_FILE | REMOVE_DIR | REFER

_ALL_TCP = 0b11  # bind and connect, from version 4 of the interface
_ALL_SCOPES = 0b11  # abstract sockets and signals, from version 6


class LandlockError(OSError):
    """The machine has no Landlock, or it refuses a rule."""


def version():
    """Ask for the version of Landlock's interface.

    Returns
    -------
    int
        1 from Linux 5.13 on; the newest that this module uses is 6.

    Raises
    ------
    LandlockError
        If there is none: ``ENOSYS`` in a kernel built without it or a container that forbids it,
        ``EOPNOTSUPP`` where it was not switched on when the machine was started.
    """
    return _call(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)


def restrict(grants):
    """Take from the calling thread, and all that it starts later, every access not granted.

    Sets ``no_new_privs`` too, as the kernel demands. Neither can be undone.

    Parameters
    ----------
    grants : iterable of (path, int)
        A folder with all that lies in it, or a file, and the rights there. Paths that do not
        exist are left out.

    Raises
    ------
    LandlockError
        If the kernel refuses.
    """
    abi = version()
    rights = (1 << 13) - 1
    for since, right in ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV)):
        if abi >= since:
            rights |= right
    attributes = struct.pack(
        "=QQQ", rights, _ALL_TCP if abi >= 4 else 0, _ALL_SCOPES if abi >= 6 else 0
    )[: 8 if abi < 4 else 16 if abi < 6 else 24]
    ruleset = _call(
        _CREATE_RULESET, ctypes.c_char_p(attributes), ctypes.c_size_t(len(attributes)), 0
    )
    try:
        for path, access in grants:
            _grant(ruleset, path, access & rights)
        if _libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise LandlockError(ctypes.get_errno(), "no_new_privs is refused")
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _grant(ruleset, path, access):
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            access &= _OF_FILES
        if access:
            rule = struct.pack("=Qi", access, descriptor)
            _call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.c_char_p(rule), 0)
    finally:
        os.close(descriptor)


def _call(number, *arguments):
    result = _libc.syscall(number, *arguments)
    if result < 0:
        code = ctypes.get_errno()
        reason = {
            errno.ENOSYS: "the Linux kernel is older than 5.13, or a container forbids Landlock",
            errno.EOPNOTSUPP: "Landlock is not switched on in this Linux kernel",
        }.get(code, os.strerror(code))
        raise LandlockError(code, reason)
    return result
