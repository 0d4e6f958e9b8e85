"""Jupyter's way to the forked kernels: a provisioner, and a manager that uses it."""

import asyncio
import signal

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Float, Integer, List, Unicode

from coursekit.kernels import policy
from coursekit.kernels.client import SandboxClient
from coursekit.kernels.launcher import launcher

NAME = "coursekit-sandbox"
POLL_SECONDS = 0.01


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

    @property
    def speaking(self):
        """The socket over which the kernel is asked and answers; None if there is no kernel."""
        return self._kernel.speaking if self._kernel else None

    async def pre_launch(self, **kwargs):
        """Make the kernel's folder."""
        if self._space is None:
            self._space = launcher().workspace(kwargs.get("cwd"))
        arguments = kwargs.pop("extra_arguments", [])
        return await super().pre_launch(cmd=arguments, **kwargs)

    async def launch_kernel(self, cmd, **kwargs):
        """Fork the kernel and wait until it is locked in; `cmd` are the arguments of ipykernel."""
        kernel = None
        try:
            names = (*policy.ENVIRONMENT, *self.environment)
            environment = {name: kwargs["env"][name] for name in names if name in kwargs["env"]}
            kernel = launcher().start(
                self._space, self.limits, cmd, environment, self.packages, self.readable
            )
            await kernel.ready()
        except BaseException:
            if kernel is not None:
                kernel.close()
            await self.cleanup()
            raise
        self._kernel = kernel
        return {}

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
        """Remove the kernel's folder; a kernel that is started again keeps it."""
        if self._kernel:
            self._kernel.close()
        if self._space and not restart:
            self._space.remove()
            self._space = None

    def abandon(self):
        """Have the kernel killed, if it still runs, without waiting for its end."""
        if self._kernel and self._kernel.poll() is None:
            self._kernel.close()


class SandboxManager(AsyncKernelManager):
    """Manages a forked kernel, whatever kernel the notebook or the configuration names."""

    def client(self, **_):
        """Give what speaks with the kernel."""
        return SandboxClient(parent=self, session=self.session)

    @property
    def kernel_spec(self):
        """The one kernel there is."""
        return KernelSpec(
            argv=[],
            display_name="Python 3",
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": NAME}},
        )

    async def _async_shutdown_kernel(self, now=True, restart=False):
        """End the kernel at once, whoever asks how: it cannot be asked to end itself."""
        await super()._async_shutdown_kernel(now=True, restart=restart)

    shutdown_kernel = _async_shutdown_kernel

    def _connect_control_socket(self):
        """Open no second way to the kernel."""

    def _reconcile_connection_info(self, info):
        """Take none: there are no ports."""
