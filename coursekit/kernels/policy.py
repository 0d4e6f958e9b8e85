"""What student code may do: the sandbox's whole policy, as data.

What is not named here is refused. `docs/security.md` says what each part is for.
"""

from dataclasses import dataclass

KIB, MIB, GIB = 2**10, 2**20, 2**30


@dataclass(frozen=True)
class Limits:
    """How much one kernel may use.

    Attributes
    ----------
    address_space : int
        Bytes of memory that may be reserved; beyond, Python raises ``MemoryError``.
    resident_memory : int
        Bytes of memory in use.
    processor_time : int
        Seconds of all threads together.
    wall_time : float
        Seconds from the start of the kernel to its end.
    file_size : int
        Bytes of one file.
    disk : int
        Bytes of all files that the student's code adds to its work folder.
    entries : int
        Number of files and folders in the work folder.
    open_files : int
    threads : int
    """

    address_space: int = 4 * GIB
    resident_memory: int = 2 * GIB
    processor_time: int = 120
    wall_time: float = 600.0
    file_size: int = 16 * MIB
    disk: int = 64 * MIB
    entries: int = 10_000
    open_files: int = 128
    threads: int = 64


# --- Packages ---------------------------------------------------------------------------------

# Imported once, before the first kernel is forked; the submodules are those that cost time.
PRELOADED = (
    "numpy",
    "scipy.linalg",
    "scipy.optimize",
    "scipy.special",
    "scipy.stats",
    "matplotlib.pyplot",
    "sklearn.datasets",
    "sklearn.model_selection",
    "threadpoolctl",
    "tqdm.auto",
)

# Distributions that student code may import, each with all that it requires. One that is not
# installed is left out.
PACKAGES = (
    "ipykernel",
    "matplotlib",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "seaborn",
    "threadpoolctl",
    "tqdm",
)

# --- Files ------------------------------------------------------------------------------------

# Beside these: the standard library and the packages above, to be read only, and the work folder.
READABLE = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/usr/share/locale",
    "/usr/share/mime",
    "/usr/share/zoneinfo",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/os-release",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/sys/devices/system/cpu",
)
# Of the kernel's own folder under /proc; not its `net` and `task`, which tell of others.
PROCESS = ("cgroup", "cmdline", "comm", "fd", "limits", "maps", "stat", "statm", "status")
DEVICES = ("/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero")

# --- Environment ------------------------------------------------------------------------------

ENVIRONMENT = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "NBGRADER_EXECUTION")
ONE_THREAD = {
    "JOBLIB_MULTIPROCESSING": "0",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}

# --- Users ------------------------------------------------------------------------------------

# Root's kernels each run as a user who owns nothing else: FIRST_UID + pid % UIDS. systemd and
# Debian leave these numbers free.
FIRST_UID, UIDS = 60_578, 606

# --- System calls -----------------------------------------------------------------------------

# Names of calls, apart by blanks. Those not named below fail with ENOSYS, as on a kernel that does
# not know them; `seccomp` allows some more by their arguments.
ALLOWED = """
    read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek
    creat close dup dup2 dup3 pipe pipe2
    stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2
    readlink readlinkat getdents getdents64 getcwd chdir fchdir umask
    mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2
    ftruncate fallocate fadvise64 fsync fdatasync flock sendfile copy_file_range
    mmap munmap mremap mprotect madvise mincore msync mlock munlock brk membarrier get_mempolicy
    exit exit_group wait4 waitid set_tid_address set_robust_list get_robust_list rseq
    futex futex_waitv sched_yield sched_getaffinity sched_getparam sched_getscheduler
    sched_get_priority_max sched_get_priority_min getpriority getcpu
    getpid getppid gettid getpgid getpgrp getsid getuid geteuid getgid getegid getresuid
    getresgid getgroups getrlimit setrlimit getrusage times sysinfo uname getrandom capget
    arch_prctl restart_syscall
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend
    sigaltstack pause alarm setitimer getitimer timer_create timer_settime timer_gettime
    timer_getoverrun timer_delete timerfd_create timerfd_settime timerfd_gettime
    eventfd eventfd2 signalfd signalfd4 nanosleep clock_nanosleep clock_gettime clock_getres
    gettimeofday time
    select pselect6 poll ppoll epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait
    epoll_pwait2
    getsockname getpeername getsockopt setsockopt shutdown
    sendto recvfrom
"""

# Refused with EPERM, which students read as "Operation not permitted".
REFUSED = """
    execve execveat fork vfork ptrace process_vm_readv process_vm_writev kcmp pidfd_open
    pidfd_getfd pidfd_send_signal tkill rt_sigqueueinfo rt_tgsigqueueinfo
    setpriority ioprio_set unshare setns chroot pivot_root mount umount2 fsopen fsconfig fsmount
    move_mount open_tree mount_setattr bind listen accept accept4 connect
    bpf perf_event_open userfaultfd
    io_uring_setup io_uring_enter io_uring_register keyctl add_key request_key
    shmget shmat shmctl msgget msgsnd msgrcv msgctl semget semop semctl mq_open
    memfd_create memfd_secret inotify_init inotify_init1 fanotify_init name_to_handle_at
    open_by_handle_at truncate link linkat symlink symlinkat mknod mknodat
    setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset
    setsid setpgid personality reboot kexec_load init_module finit_module delete_module
    settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname syslog acct
    swapon swapoff quotactl
"""

# As on a file system without them, which `shutil.copy2` understands.
UNSUPPORTED = """
    getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr
    setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr
"""

# Landlock does not cover these. They do nothing and succeed: `shutil.copy` sets modes and times,
# and libzmq aborts where it may not choose the scheduler of its threads.
PRETENDED = """
    chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat
    sched_setscheduler sched_setparam sched_setattr sched_setaffinity
"""

# Allowed with some arguments only.
# fcntl: F_DUPFD to F_SETLKW, F_OFD_GETLK to F_OFD_SETLKW, F_DUPFD_CLOEXEC, F_GETPIPE_SZ: none that
# would have signals sent to another process.
FCNTL = (*range(8), 36, 37, 38, 1030, 1032)
# ioctl: TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# prctl: the names of threads (set, get) and of memory
PRCTL = (15, 16, 0x53564D41)
# close_range: not CLOSE_RANGE_UNSHARE, for the watch must see the files of every thread
CLOSE_RANGE = (0, 4)
