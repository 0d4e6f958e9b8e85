"""Filter a process's system calls, by the C library libseccomp.

libseccomp is part of every common Linux distribution and well kept; it knows the calls of each
processor and compiles the filter. Its own Python binding exists only for a distribution's Python,
and the one on PyPI (pyseccomp) has had no release since 2021 and looks for the library by running
a compiler: the few calls needed here are bound directly.
"""

import ctypes
import errno
import os

from coursekit.kernels import policy

_libc = ctypes.CDLL(None, use_errno=True)
SET_SECCOMP, MODE_FILTER = 22, 2  # for prctl
SIZE_OF_INSTRUCTION = 8

LIBRARY = "libseccomp.so.2"
UNKNOWN_CALL = -1
KILL_PROCESS = 0x80000000
ALLOW = 0x7FFF0000
NOT_EQUAL, EQUAL, MASKED_EQUAL = 1, 4, 7  # enum scmp_compare
ON_FOREIGN_ARCHITECTURE = 2  # SCMP_FLTATR_ACT_BADARCH

CLONE_FILES, CLONE_THREAD = 0x400, 0x10000
CLONE_NAMESPACES = 0x7E020080
UNIX, STREAM, KIND_OF_SOCKET = 1, 1, 0xF


class SeccompError(OSError):
    """The filter cannot be made or loaded."""


class _Comparison(ctypes.Structure):
    """libseccomp's ``struct scmp_arg_cmp``: argument, operator, two operands."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


class _Program(ctypes.Structure):
    """The kernel's ``struct sock_fprog``: number of instructions, their address."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))

    @classmethod
    def of(cls, program):
        """Give a reference to a compiled filter."""
        return ctypes.byref(cls(len(program) // SIZE_OF_INSTRUCTION, program))


def library():
    """Load libseccomp.

    Returns
    -------
    ctypes.CDLL

    Raises
    ------
    SeccompError
        If it is not installed.
    """
    try:
        lib = ctypes.CDLL(LIBRARY, use_errno=True)
    except OSError as problem:
        raise SeccompError(errno.ENOENT, f"{LIBRARY} is not installed") from problem
    lib.seccomp_init.restype = ctypes.c_void_p
    lib.seccomp_init.argtypes = [ctypes.c_uint32]
    lib.seccomp_release.argtypes = [ctypes.c_void_p]
    lib.seccomp_attr_set.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32]
    lib.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    lib.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(_Comparison),
    ]
    return lib


class Filter:
    """The filter of `policy`, compiled once and loaded by every kernel.

    Raises
    ------
    SeccompError
        If libseccomp is missing or refuses.
    """

    def __init__(self):
        self._library = library()
        self._program = self._compile(_error(errno.ENOSYS), _rules())

    def load(self):
        """Filter the calls of the calling thread and of all that it starts later, for good.

        The process must have set ``no_new_privs``.

        Raises
        ------
        SeccompError
            If the kernel refuses.
        """
        # Of two filters the stricter counts. The first depends on the process and is short.
        for program in (self._compile(ALLOW, _signals_to_itself_only(os.getpid())), self._program):
            _refused_if(_libc.prctl(SET_SECCOMP, MODE_FILTER, _Program.of(program), 0, 0))

    def _compile(self, default, rules):
        lib = self._library
        filter_ = lib.seccomp_init(default)
        if not filter_:
            raise SeccompError(errno.ENOMEM, "libseccomp makes no filter on this machine")
        try:
            _check(lib.seccomp_attr_set(filter_, ON_FOREIGN_ARCHITECTURE, KILL_PROCESS), "foreign")
            for name, action, *conditions in rules:
                number = lib.seccomp_syscall_resolve_name(name.encode())
                if number == UNKNOWN_CALL:  # to an older libseccomp; so it is not allowed
                    continue
                array = (_Comparison * len(conditions))(*conditions)
                added = lib.seccomp_rule_add_array(filter_, action, number, len(array), array)
                _check(added, name)
            with open(os.memfd_create("filter"), "w+b", buffering=0) as file:  # no folder needed
                _check(lib.seccomp_export_bpf(filter_, file.fileno()), "to compile")
                file.seek(0)
                return file.read()
        finally:
            lib.seccomp_release(filter_)


def _rules():
    """Yield (name of the call, action, conditions that must all hold)."""
    for names, action in (
        (policy.ALLOWED, ALLOW),
        ("kill tgkill", ALLOW),  # but see `_signals_to_itself_only`
        (policy.REFUSED, _error(errno.EPERM)),
        (policy.UNSUPPORTED, _error(errno.EOPNOTSUPP)),
        (policy.PRETENDED, _error(0)),
    ):
        for name in names.split():
            yield name, action
    # Threads, but no processes. The flags of clone3 lie in memory, where a filter cannot see
    # them: it stays unknown, so that the C library uses clone.
    thread = CLONE_THREAD | CLONE_FILES
    yield "clone", ALLOW, _Comparison(0, MASKED_EQUAL, thread | CLONE_NAMESPACES, thread)
    yield "clone", _error(errno.EPERM), _Comparison(0, MASKED_EQUAL, CLONE_THREAD, 0)
    yield "prlimit64", ALLOW, _Comparison(0, EQUAL, 0)  # its own limits
    # Event loops wake themselves over a pair of streams of the unix family; nothing else is a
    # socket. libzmq, if somebody uses it, aborts on other errors than EOPNOTSUPP and EINVAL.
    stream = _Comparison(1, MASKED_EQUAL, KIND_OF_SOCKET, STREAM)
    for name in ("socket", "socketpair"):
        yield name, ALLOW, _Comparison(0, EQUAL, UNIX), stream
        yield name, _error(errno.EOPNOTSUPP), _Comparison(0, NOT_EQUAL, UNIX)
        for kind in (2, 3, 5):
            other = _Comparison(1, MASKED_EQUAL, KIND_OF_SOCKET, kind)
            yield name, _error(errno.EACCES), _Comparison(0, EQUAL, UNIX), other
    for name, argument, values in (
        ("close_range", 2, policy.CLOSE_RANGE),
        ("fcntl", 1, policy.FCNTL),
        ("ioctl", 1, policy.IOCTL),
        ("prctl", 0, policy.PRCTL),
    ):
        for value in values:
            yield name, ALLOW, _Comparison(argument, EQUAL, value)
    # Emptying needs the right to write, which early versions of Landlock ask for only where the
    # mode of access says so. The flags of openat2 lie in memory: it stays unknown.
    for name, flags in (("open", 1), ("openat", 2)):
        reading = os.O_ACCMODE | os.O_TRUNC
        yield name, ALLOW, _Comparison(flags, MASKED_EQUAL, reading, os.O_RDONLY)
        for mode in (os.O_WRONLY, os.O_RDWR):
            yield name, ALLOW, _Comparison(flags, MASKED_EQUAL, os.O_ACCMODE, mode)


def _signals_to_itself_only(pid):
    """Yield rules as `_rules` does, for what that allows too widely."""
    for name in ("kill", "tgkill"):
        yield name, _error(errno.EPERM), _Comparison(0, NOT_EQUAL, pid)


def _error(number):
    """Return the action that fails with an errno, or succeeds without effect where it is 0."""
    return 0x00050000 | number


def _refused_if(result):
    if result:
        number = ctypes.get_errno()
        raise SeccompError(number, f"seccomp is refused here: {os.strerror(number)}")


def _check(result, what):
    if result < 0:
        raise SeccompError(-result, f"libseccomp refuses {what}: {os.strerror(-result)}")
