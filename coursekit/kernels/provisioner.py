"""Jupyter's way to the forked kernels: a provisioner, and a manager and client that use it."""

import asyncio
import signal
import sys
from queue import Empty
from time import monotonic

import zmq
import zmq.asyncio
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Float, Integer, List, Unicode

from coursekit.kernels import policy
from coursekit.kernels.launcher import launcher

NAME = "coursekit-sandbox"
POLL_SECONDS = 0.01
LARGEST_MESSAGE = 16 * policy.MIB
MESSAGES_IN_QUEUE = 64


class SandboxProvisioner(KernelProvisionerBase):
    """Runs a kernel as a sandboxed process forked by the zygote.

    Its settings in ``nbgrader_config.py`` begin with ``c.SandboxProvisioner``.
    """

    address_space = Integer(
        policy.Limits.address_space, min=policy.GIB, help="Bytes of memory that may be reserved."
    ).tag(config=True)
    resident_memory = Integer(
        policy.Limits.resident_memory, min=policy.MIB, help="Bytes of memory that may be in use."
    ).tag(config=True)
    processor_time = Integer(
        policy.Limits.processor_time, min=1, help="Seconds of processor time of a notebook."
    ).tag(config=True)
    wall_time = Float(
        policy.Limits.wall_time, min=1, help="Seconds from the start of a kernel to its end."
    ).tag(config=True)
    file_size = Integer(
        policy.Limits.file_size, min=0, help="Bytes of the largest file that may be written."
    ).tag(config=True)
    disk = Integer(
        policy.Limits.disk, min=0, help="Bytes of all files that may be written together."
    ).tag(config=True)
    entries = Integer(policy.Limits.entries, min=1, help="Files and folders that may be made.").tag(
        config=True
    )
    open_files = Integer(
        policy.Limits.open_files, min=64, help="Files that may be open at a time."
    ).tag(config=True)
    threads = Integer(policy.Limits.threads, min=16, help="Threads that may run.").tag(config=True)
    grader_growth = Integer(
        policy.Limits.grader_growth,
        min=policy.MIB,
        help="Bytes by which the grader's own memory may grow while the kernel runs.",
    ).tag(config=True)
    packages = List(
        Unicode(),
        help="Installed packages that student code may import, with all that they require, "
        "beside those that coursekit.kernels.policy names.",
    ).tag(config=True)
    readable = List(
        Unicode(), help="Folders and files that student code may read, say a large data set."
    ).tag(config=True)
    environment = List(
        Unicode(), help="Names of environment variables that student code may see."
    ).tag(config=True)

    _kernel = None
    _space = None

    @property
    def has_process(self):
        """Whether there is a kernel, running or just ended."""
        return self._kernel is not None

    @property
    def reason(self):
        """What the kernel did that it was killed for, to follow "the kernel"; may be empty."""
        return self._kernel.reason if self._kernel else ""

    @property
    def limits(self):
        """The settings as `policy.Limits`."""
        return policy.Limits(
            **{name: getattr(self, name) for name in policy.Limits.__dataclass_fields__}
        )

    async def pre_launch(self, **kwargs):
        """Make the kernel's folders and its connection file."""
        if self._space is None:
            self._space = launcher().workspace(kwargs.get("cwd"))
        manager = self.parent
        manager.transport = "ipc"
        manager.ip = str(self._space.ipc / "k")
        manager.connection_file = str(self._space.connection_file)
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        command = manager.format_kernel_cmd(extra_arguments=kwargs.pop("extra_arguments", []))
        return await super().pre_launch(cmd=command, **kwargs)

    async def launch_kernel(self, cmd, **kwargs):
        """Fork the kernel and wait until its sockets are bound."""
        arguments = cmd[cmd.index("-f") + 2 :]
        kernel = None
        try:
            names = (*policy.ENVIRONMENT, *self.environment)
            environment = {name: kwargs["env"][name] for name in names if name in kwargs["env"]}
            kernel = launcher().start(
                self._space, self.limits, arguments, environment, self.packages, self.readable
            )
            await kernel.ready()
        except BaseException:
            if kernel is not None:
                kernel.close()
            await self.cleanup()
            raise
        self._kernel = kernel
        return self.connection_info

    async def poll(self):
        """Give None while the kernel runs, then its exit code."""
        return self._kernel.poll() if self._kernel else 0

    async def wait(self):
        """Wait for the kernel's end and give its exit code."""
        while self._kernel and self._kernel.poll() is None:
            await asyncio.sleep(POLL_SECONDS)
        return self._kernel.exit_code if self._kernel else 0

    async def send_signal(self, signum):
        """Send the kernel a signal."""
        if self._kernel:
            self._kernel.send_signal(signum)

    async def kill(self, restart=False):
        """Kill the kernel and wait for its end."""
        await self.send_signal(signal.SIGKILL)
        await self.wait()

    async def terminate(self, restart=False):
        """Kill the kernel: student code has nothing to save."""
        await self.kill(restart)

    async def cleanup(self, restart=False):
        """Remove the kernel's folders; a kernel that is started again keeps them."""
        if self._space and not restart:
            self._space.remove()
            self._space = None

    def abandon(self):
        """Have the kernel killed, if it still runs, without waiting for its end."""
        if self._kernel and self._kernel.poll() is None:
            self._kernel.close()


class SandboxClient(AsyncKernelClient):
    """A client whose connection is ready as soon as the kernel is, and takes no huge messages."""

    def __init__(self, *args, **kwargs):
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
        context.setsockopt(zmq.RCVHWM, MESSAGES_IN_QUEUE)
        super().__init__(*args, context=context, **kwargs)

    def start_channels(self, shell=True, iopub=True, stdin=True, hb=True, control=True):
        """Open the channels, but for the heartbeat.

        Its thread would wait for ever for a kernel that reads nothing; the zygote tells of the
        kernel's end.
        """
        super().start_channels(shell, iopub, stdin, hb=False, control=control)

    def stop_channels(self):
        """Close the connection, and free at once what a hostile kernel has left in it."""
        super().stop_channels()
        self.context.destroy(linger=0)

    async def _async_wait_for_ready(self, timeout=None):
        """Wait for the kernel's first answer, without the fixed pause of the original."""
        deadline = monotonic() + (timeout or float("inf"))
        while monotonic() < deadline:
            request = self.kernel_info()
            try:
                while True:
                    message = await self.iopub_channel.get_msg(timeout=1)
                    of_request = message["parent_header"].get("msg_id") == request
                    if of_request and message["content"].get("execution_state") == "idle":
                        self._handle_kernel_info_reply(await self.shell_channel.get_msg(timeout=1))
                        return
            except Empty:
                if not await self._async_is_alive():
                    raise RuntimeError("The kernel died before it answered.") from None
        raise RuntimeError(f"The kernel did not answer in {timeout:g} s.")

    wait_for_ready = _async_wait_for_ready


class SandboxManager(AsyncKernelManager):
    """Manages a forked kernel, whatever kernel the notebook or the configuration names."""

    client_factory = SandboxClient

    @property
    def kernel_spec(self):
        """The one kernel there is."""
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": NAME}},
        )
