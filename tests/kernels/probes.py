"""Attacks on the sandbox, as data: what a student's cell tries, and what must come of it.

The cells use the names that `SETUP` imports and those that `run_probes` gives them: COURSE, KIT,
HOME, TEMPORARY, NEIGHBOUR and SITE (folders), MARK (a name nobody else uses), GRADER and CANARY
(processes), TCP, UDP, SOCKET and ABSTRACT (addresses where somebody listens), CALLS (numbers of
system calls). A cell that wins ends without an exception.
"""

from dataclasses import dataclass

SETUP = """
import builtins, ctypes, fcntl, gc, os, random, re, resource, signal, site, socket, sqlite3
import stat, subprocess, sys, types
from pathlib import Path, PosixPath
import matplotlib, numpy as np

def call(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(CALLS[name], *arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
"""

# Who could do it without the sandbox: then `run_probes` shows that it can be done.
ANYONE = "anyone"
GRADER = "the user who grades"
DEPENDS = "depends on the machine, or is not to be tried in earnest"

# What is seen of a refusal: by Landlock, by seccomp, of a call or a socket said not to exist.
DENIED = "raised PermissionError: [Errno 13]"
FORBIDDEN = "raised PermissionError: [Errno 1]"
UNKNOWN = "raised OSError: [Errno 38]"
UNSUPPORTED = "raised OSError: [Errno 95]"
OTHER_DEVICE = "raised OSError: [Errno 18]"  # of a rename, in the first version of Landlock


@dataclass(frozen=True)
class Probe:
    """A hostile cell.

    Attributes
    ----------
    name : str
    source : str
    seen : str or tuple of str
        How what is seen must begin: the exception after "raised", or what the cell prints.
    possible_for : str
    """

    name: str
    source: str
    seen: str | tuple = DENIED
    possible_for: str = ANYONE


# First, before other probes open files of their own.
INHERITING = [
    # The grader's token and the course's secret look like this; the pattern itself does not.
    Probe(
        "search-memory",
        "found = set()\n"
        "for line in open('/proc/self/maps'):\n"
        "    place, rights, *_, name = line.split(None, 5)\n"
        "    if 'r' in rights and '[v' not in name and not name.startswith('/'):\n"
        "        start, end = (int(number, 16) for number in place.split('-'))\n"
        "        view = (ctypes.c_char * (end - start)).from_address(start)\n"
        "        found |= set(re.findall(rb'(?:token|secret)-of-[t]he-course', view))\n"
        "print(found)",
        "set()",
    ),
    Probe(
        "search-modules",
        "gc.unfreeze()\n"
        "graders = 'coursekit.judging', 'coursekit.reference', 'coursekit.grading', 'nbgrader'\n"
        "modules = [m for m in gc.get_objects() if isinstance(m, types.ModuleType)]\n"
        "print([m.__name__ for m in modules if m.__name__.startswith(graders)])",
        "[]",
        DEPENDS,
    ),
    Probe(
        "search-frames",
        "found, frame = [], sys._getframe()\n"
        "while frame:\n"
        "    values = [*frame.f_locals.values(), *frame.f_globals.values()]\n"
        "    found += [v for v in values if isinstance(v, socket.socket) and v.fileno() >= 0]\n"
        "    frame = frame.f_back\n"
        "print(found)",
        "[]",
        DEPENDS,
    ),
    # Student code has pipes, the null device, memory in place of a terminal, a pair of sockets by
    # which its event loop wakes itself, and the one over which it is asked.
    Probe(
        "inherited-descriptors",
        "found = []\n"
        "for number in map(int, os.listdir('/proc/self/fd')):\n"
        "    try:\n"
        "        mode = os.fstat(number).st_mode\n"
        "    except OSError:\n"
        "        continue\n"
        "    kind = ''\n"
        "    if stat.S_ISSOCK(mode):\n"
        "        with socket.socket(fileno=os.dup(number)) as end:\n"
        "            kind = f'{end.family.name} {end.type.name}'\n"
        "    name = os.readlink(f'/proc/self/fd/{number}')\n"
        "    if stat.S_ISREG(mode) and not name.startswith('/memfd:std') or kind or "
        "stat.S_ISDIR(mode) or stat.S_ISBLK(mode):\n"
        "        found.append(kind or name)\n"
        "print(sorted(found))",
        "['AF_UNIX SOCK_SEQPACKET', 'AF_UNIX SOCK_STREAM', 'AF_UNIX SOCK_STREAM']",
        DEPENDS,
    ),
]

READING = [
    Probe("read-source", "print(open(COURSE / 'source/round/x.ipynb').read())"),
    Probe("list-source", "print(os.listdir(COURSE / 'source'))"),
    Probe("read-gradebook", "print(open(COURSE / 'gradebook.db', 'rb').read(16))"),
    Probe(
        "query-gradebook",
        "print(sqlite3.connect(COURSE / 'gradebook.db').execute('SELECT * FROM grade').fetchall())",
        "raised OperationalError: unable to open database file",
    ),
    Probe("read-other-submission", "print(open(COURSE / 'submitted/other/round/x.ipynb').read())"),
    Probe("list-submissions", "print(os.listdir(COURSE / 'submitted'))"),
    Probe("read-secret", "print(open(COURSE / '.coursekit/secret').read())"),
    Probe("read-coursekit", "print(open(KIT / 'kernels/policy.py').read(16))"),
    Probe("list-coursekit", "print(os.listdir(KIT))"),
    Probe("import-coursekit", "import coursekit", "raised ModuleNotFoundError"),
    Probe("read-home", "print(open(HOME / '.ssh/id').read())"),
    Probe("list-home", "print(os.listdir(HOME))"),
    Probe("read-shadow", "print(open('/etc/shadow').read(1))", possible_for=DEPENDS),
    Probe("read-passwd", "print(open('/etc/passwd').read(4))"),
    Probe("list-root", "print(len(os.listdir('/')))"),
    Probe("list-temporary", "print(len(os.listdir(TEMPORARY)))"),
    Probe("read-neighbour", "print(open(NEIGHBOUR / 'notes.txt').read())"),
    Probe("read-by-chdir", "os.chdir(COURSE)\nprint(open('gradebook.db', 'rb').read(16))"),
    Probe(
        "read-by-proc-root", "print(open(f'/proc/self/root{COURSE}/gradebook.db', 'rb').read(1))"
    ),
    Probe(
        "read-by-path-descriptor",
        "found = os.open(COURSE / 'gradebook.db', os.O_PATH)\n"
        "print(open(f'/proc/self/fd/{found}', 'rb').read(16))",
    ),
    Probe(
        "read-by-folder-descriptor",
        "folder = os.open(COURSE, os.O_PATH)\n"
        "print(os.read(os.open('gradebook.db', os.O_RDONLY, dir_fd=folder), 16))",
    ),
    Probe(
        "read-by-handle",
        "call('name_to_handle_at', -100, bytes(COURSE), None, None, 0)",
        FORBIDDEN,
        DEPENDS,
    ),
    Probe(
        "read-by-link-handed-in",
        "print(open('shortcut').read())",
        "raised FileNotFoundError",
    ),
]

WRITING = [
    Probe(
        "update-manual-score",
        "with sqlite3.connect(COURSE / 'gradebook.db') as gradebook:\n"
        "    gradebook.execute('UPDATE grade SET manual_score = 99')",
        "raised OperationalError: unable to open database file",
    ),
    Probe("append-to-gradebook", "open(COURSE / 'gradebook.db', 'ab').write(b'x')"),
    Probe("empty-gradebook", "open(COURSE / 'gradebook.db', 'wb')"),
    # Access mode 3 asks neither to read nor to write, and early versions of Landlock for nothing.
    Probe("empty-by-mode-3", "os.open(COURSE / 'gradebook.db', 3 | os.O_TRUNC)", UNKNOWN),
    Probe(
        "empty-while-reading", "os.open(SITE / 'numpy/__init__.py', os.O_TRUNC)", UNKNOWN, DEPENDS
    ),
    Probe("truncate-gradebook", "os.truncate(COURSE / 'gradebook.db', 5)", FORBIDDEN),
    Probe(
        "write-other-submission", "open(COURSE / 'submitted/other/round/x.ipynb', 'r+').write('x')"
    ),
    Probe("add-to-other-submission", "open(COURSE / 'submitted/other/round/y', 'x')"),
    Probe("write-source", "(COURSE / 'source/round/x.ipynb').write_text('x')"),
    Probe("add-folder", "os.mkdir(COURSE / 'source/more')"),
    Probe("remove-secret", "os.remove(COURSE / '.coursekit/secret')"),
    Probe("remove-folder", "os.rmdir(COURSE / 'empty')"),
    Probe("write-neighbour", "(NEIGHBOUR / 'notes.txt').write_text('x')"),
    Probe(
        "rename-out",
        "Path('mine').write_text('x')\nos.rename('mine', COURSE / 'mine')",
        (DENIED, OTHER_DEVICE),
    ),
    Probe(
        "rename-in", "os.rename(COURSE / 'submitted/other/round', 'stolen')", (DENIED, OTHER_DEVICE)
    ),
    Probe(
        "exchange",
        "Path('ours').write_text('x')\n"
        "call('renameat2', -100, b'ours', -100, bytes(COURSE / 'source/round/x.ipynb'), 2)",
        (DENIED, OTHER_DEVICE),
    ),
    Probe(
        "chmod-does-nothing",
        "os.chmod(COURSE / 'gradebook.db', 0)\n"
        "print(oct(os.stat(COURSE / 'gradebook.db').st_mode & 0o777))",
        "0o666",
        GRADER,
    ),
    Probe(
        "utime-does-nothing",
        "os.utime(COURSE / 'gradebook.db', (0, 0))\n"
        "print(os.stat(COURSE / 'gradebook.db').st_mtime == 0)",
        "False",
        GRADER,
    ),
    Probe("set-attribute", "os.setxattr(COURSE / 'source', 'user.x', b'x')", UNSUPPORTED, DEPENDS),
    Probe("symbolic-link", "os.symlink(COURSE, 'course')", FORBIDDEN),
    Probe("hard-link", "os.link(COURSE / 'gradebook.db', 'linked.db')", FORBIDDEN),
    Probe("fifo", "os.mkfifo('fifo')", FORBIDDEN),
    Probe("device", "os.mknod('device', stat.S_IFBLK, os.makedev(8, 0))", FORBIDDEN, DEPENDS),
    Probe("write-library", "open(np.__file__, 'r+')", possible_for=DEPENDS),
    Probe("write-standard-library", "open(os.__file__, 'r+')", possible_for=DEPENDS),
    Probe("add-to-site-packages", "open(SITE / MARK, 'x')", possible_for=DEPENDS),
    Probe("write-shared-memory", "open(f'/dev/shm/{MARK}', 'x')"),
    Probe("write-temporary", "open(TEMPORARY / MARK, 'x')"),
]

PROCESSES = [
    Probe(
        "grader-environment",
        "print('TOKEN' in open(f'/proc/{GRADER}/environ').read())",
        DENIED,
        GRADER,
    ),
    Probe("parent-environment", "print('TOKEN' in open(f'/proc/{os.getppid()}/environ').read())"),
    Probe("parent-memory", "open(f'/proc/{os.getppid()}/mem', 'r+b')", possible_for=DEPENDS),
    Probe("parent-arguments", "print(open(f'/proc/{os.getppid()}/cmdline').read())"),
    Probe("parent-descriptors", "print(os.listdir(f'/proc/{os.getppid()}/fd'))"),
    Probe("list-processes", "print(len(os.listdir('/proc')))"),
    Probe("read-system-settings", "print(open('/proc/sys/kernel/hostname').read())"),
    Probe("outlive-others", "open('/proc/self/oom_score_adj', 'w').write('1000')"),
    Probe(
        "own-environment",
        "print([value for value in os.environ.values() if 'of-the-course' in value])",
        "[]",
    ),
    Probe("kill-canary", "os.kill(CANARY, signal.SIGKILL)", FORBIDDEN, GRADER),
    # Signal 0 asks whether it might be sent; in earnest it would end whoever runs the tests.
    Probe("signal-parent", "os.kill(os.getppid(), 0)", FORBIDDEN),
    Probe("signal-first-process", "os.kill(1, 0)", FORBIDDEN, DEPENDS),
    Probe("signal-everybody", "os.kill(-1, 0)", FORBIDDEN),
    Probe("signal-group", "os.kill(0, 0)", FORBIDDEN),
    Probe("signal-thread", "call('tgkill', os.getppid(), os.getppid(), 0)", FORBIDDEN),
    Probe("signal-any-thread", "call('tkill', os.getppid(), 0)", FORBIDDEN),
    Probe("signal-by-pidfd", "os.pidfd_open(os.getppid())", FORBIDDEN),
    Probe(
        "signal-by-owner-of-socket",
        "fcntl.fcntl(socket.socketpair()[0], fcntl.F_SETOWN, os.getppid())",
        UNKNOWN,
    ),
    Probe(
        "signal-by-owner-in-ioctl",
        "fcntl.ioctl(socket.socketpair()[0], 0x8901, os.getppid().to_bytes(4, sys.byteorder))",
        UNKNOWN,
    ),
    Probe("outlive-parent", "call('prctl', 1, 0, 0, 0, 0)", UNKNOWN),
    Probe(
        "limits-of-parent", "print(resource.prlimit(os.getppid(), resource.RLIMIT_CORE))", UNKNOWN
    ),
    Probe(
        "raise-own-limits",
        "resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)",
        "raised ValueError: not allowed to raise maximum limit",
        DEPENDS,
    ),
    Probe("priority-of-parent", "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)", FORBIDDEN),
]

STARTING = [
    Probe("subprocess", "subprocess.run(['true'], check=True)", FORBIDDEN),
    Probe("system", "print(os.system('true'))", "32512"),  # no shell: status 127
    Probe("spawn", "os.posix_spawn('/bin/true', ['true'], {})", FORBIDDEN),
    Probe("exec", "os.execv('/bin/true', ['true'])", FORBIDDEN),
    Probe("exec-python", "os.execv(sys.executable, ['python', '-c', ''])", FORBIDDEN),
    Probe("fork", "os.fork() or os._exit(0)", FORBIDDEN),
    Probe("clone", "call('clone', 17, 0, 0, 0, 0) or os._exit(0)", FORBIDDEN),
    Probe(
        "clone3",
        "arguments = (ctypes.c_uint64 * 8)(0, 0, 0, 0, 17)\n"
        "call('clone3', arguments, 64) or os._exit(0)",
        UNKNOWN,
    ),
    Probe("shell-of-ipython", "!true", "raised PermissionError: Shell commands", DEPENDS),
    Probe("memory-file", "os.memfd_create('program')", FORBIDDEN),
]

RIGHTS = [
    Probe("setuid-root", "os.setuid(0)", FORBIDDEN, DEPENDS),
    Probe("setuid-itself", "os.setuid(os.getuid())", FORBIDDEN),
    Probe("setgid-itself", "os.setgid(os.getgid())", FORBIDDEN),
    Probe("setgroups", "os.setgroups([0])", FORBIDDEN, DEPENDS),
    Probe(
        "capabilities",
        "header = (ctypes.c_uint32 * 2)(0x20080522, 0)\n"
        "call('capset', header, (ctypes.c_uint32 * 6)())",
        FORBIDDEN,
    ),
    Probe("ptrace-parent", "call('ptrace', 16, os.getppid(), 0, 0)", FORBIDDEN, DEPENDS),
    Probe("ptrace-itself", "call('ptrace', 0, 0, 0, 0)", FORBIDDEN, DEPENDS),
    Probe(
        "memory-of-parent",
        "call('process_vm_readv', os.getppid(), None, 0, None, 0, 0)",
        FORBIDDEN,
        DEPENDS,
    ),
    Probe(
        "compare-processes", "call('kcmp', os.getpid(), os.getppid(), 3, 0, 0)", FORBIDDEN, DEPENDS
    ),
    Probe("new-namespace", "call('unshare', 0x10000000)", FORBIDDEN, DEPENDS),
    Probe("enter-namespace", "call('setns', 0, 0)", FORBIDDEN, DEPENDS),
    Probe("mount", "call('mount', b'none', b'.', b'tmpfs', 0, None)", FORBIDDEN, DEPENDS),
    Probe("chroot", "os.chroot('.')", FORBIDDEN, DEPENDS),
    Probe("io-uring", "call('io_uring_setup', 1, bytes(120))", FORBIDDEN, DEPENDS),
    Probe("keyring", "call('keyctl', 0, -3, 1, 0, 0)", FORBIDDEN, DEPENDS),
    Probe("bpf", "call('bpf', 0, bytes(64), 64)", FORBIDDEN, DEPENDS),
    Probe("userfaultfd", "call('userfaultfd', 1)", FORBIDDEN, DEPENDS),
    Probe("perf-events", "call('perf_event_open', bytes(128), 0, -1, -1, 0)", FORBIDDEN, DEPENDS),
    Probe("watch-files", "call('inotify_init1', 0)", FORBIDDEN),
]

SPEAKING = [
    Probe(
        "send-an-open-file",
        "pair = socket.socketpair(); socket.send_fds(pair[0], [b'x'], [pair[1].fileno()])",
        UNKNOWN,
    ),
    Probe("tcp", "socket.create_connection(TCP)", UNSUPPORTED),
    Probe("tcp-server", "socket.create_server(('127.0.0.1', 0))", UNSUPPORTED),
    Probe("udp", "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', UDP)", UNSUPPORTED),
    Probe("netlink", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", UNSUPPORTED),
    Probe("dns", "print(socket.getaddrinfo('localhost', 80))", "raised gaierror"),
    Probe(
        "unix-socket",
        "socket.socket(socket.AF_UNIX).connect(str(SOCKET))",
        FORBIDDEN,
    ),
    Probe("abstract-socket", "socket.socket(socket.AF_UNIX).connect(ABSTRACT)", FORBIDDEN),
    Probe(
        "unix-datagrams",
        "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
        DENIED,
    ),
    Probe("unix-server", "socket.socket(socket.AF_UNIX).bind('server')", (DENIED, FORBIDDEN)),
    Probe(
        "abstract-server",
        "socket.socket(socket.AF_UNIX).bind('\\0' + MARK)",
        (DENIED, FORBIDDEN),
    ),
    Probe(
        "shared-memory-segment",
        "call('shmctl', call('shmget', 0, 4096, 0o600), 0, None)",
        FORBIDDEN,
    ),
    Probe("message-queue", "call('msgctl', call('msgget', 0, 0o600), 0, None)", FORBIDDEN),
    Probe("semaphore", "call('semctl', call('semget', 0, 1, 0o600), 0, 0)", FORBIDDEN),
    Probe("posix-queue", "call('mq_open', MARK.encode(), 0o102, 0o600, 0)", FORBIDDEN, DEPENDS),
]

PROBES = [*INHERITING, *READING, *WRITING, *PROCESSES, *STARTING, *RIGHTS, *SPEAKING]
