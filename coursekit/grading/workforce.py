"""The workers of a Dask cluster: who is there, who may run notebooks, and who is free."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from coursekit.errors import KitError
from coursekit.grading import remote
from coursekit.kernels.fork import SandboxError

INTERVAL = 0.5  # seconds between two looks at who is there
GREETING = 60  # seconds in which a worker must say who it is
HOPE = 5  # seconds in which another worker must come where all are refused


@dataclass(eq=False)
class Worker:
    """A process of the cluster that may run notebooks.

    Attributes
    ----------
    address : str
    process : str
        Tells it from another process that has the same address later.
    threads : int
        Notebooks that it runs at a time.
    lost : asyncio.Event
        Set when it has gone.
    """

    address: str
    process: str
    threads: int
    lost: asyncio.Event = field(default_factory=asyncio.Event)


class Workforce:
    """The workers of a cluster; all methods run in one event loop.

    Parameters
    ----------
    client : distributed.Client
        An asynchronous one.
    address : str
        Of the scheduler, for sentences.
    told : callable
        Called with a sentence about each worker that is refused, and when there is none.

    Attributes
    ----------
    someone : asyncio.Event
        Set when there is a first worker, or never will be one.
    end : KitError or None
        Why no notebook can be run any more.
    """

    def __init__(self, client, address: str, told: Callable[[str], None]):
        self._client, self._address, self._told = client, address, told
        self._workers: dict[str, Worker] = {}
        self._refused: dict[str, str] = {}
        self._greeted: set[str] = set()
        self._free = asyncio.Queue()  # each worker once for each free thread; None at the end
        self._lonely, self._hopeful = False, monotonic()
        self.someone = asyncio.Event()
        self.end: KitError | None = None

    @property
    def width(self) -> int:
        """Threads of all who may run notebooks."""
        return sum(worker.threads for worker in list(self._workers.values()))

    async def watch(self) -> None:
        """Look who comes and who goes, until no notebook can be run any more."""
        try:
            async with asyncio.TaskGroup() as greetings:
                while not self.end:
                    self._compare(await self._client.nthreads(), greetings)
                    await asyncio.sleep(INTERVAL)
        except* Exception as problems:
            problem = problems.exceptions[0]
            self._give_up(KitError(f"The Dask scheduler at {self._address} was lost: {problem}"))

    async def free(self) -> Worker:
        """Wait for a worker with a free thread, which is then the caller's until `give_back`.

        Raises
        ------
        KitError
            If no notebook can be run any more.
        """
        while True:
            worker = await self._free.get()
            if worker is None:
                self._free.put_nowait(None)  # for the next who asks
                raise self.end
            if self._workers.get(worker.address) is worker:
                return worker

    def give_back(self, worker: Worker) -> None:
        """Say that a worker's thread is free again."""
        self._free.put_nowait(worker)

    def lose(self, worker: Worker) -> None:
        """Give up a worker and the notebooks that it runs."""
        worker.lost.set()
        if self._workers.get(worker.address) is worker:
            del self._workers[worker.address]

    def refuse(self, address: str, reason: str) -> None:
        """Send no more notebooks to a worker."""
        self._workers.pop(address, None)
        if address not in self._refused:
            self._refused[address] = reason
            self._told(f"The Dask worker {address} is refused: {reason}")

    def _compare(self, present, greetings):
        """Notice who has gone, greet who is new, and give up when nobody is left to hope for."""
        if self._client.status != "running":  # it has noticed the scheduler's end
            raise ConnectionError("it has closed the connection")
        for worker in list(self._workers.values()):
            if worker.address not in present:
                self.lose(worker)
        for address in self._refused.keys() - present:
            del self._refused[address]
        for address in present.keys() - {*self._workers, *self._refused, *self._greeted}:
            self._greeted.add(address)
            greetings.create_task(self._greet(address, present[address]))
        if not present and not self._lonely:
            self._told(f"No Dask worker is at {self._address}; waiting for one, until Ctrl-C.")
        self._lonely = not present
        if not present or present.keys() - self._refused.keys():
            self._hopeful = monotonic()
        elif monotonic() - self._hopeful > HOPE:
            address, reason = next(iter(self._refused.items()))
            self._give_up(
                SandboxError(
                    f"No Dask worker at {self._address} may run student code; {address} is "
                    f"refused: {reason}"
                )
            )

    async def _greet(self, address, threads):
        """Ask a new worker who it is; one that does not answer is asked again."""
        asked = self._client.run(remote.introduce, workers=[address], on_error="return")
        try:
            said = (await asyncio.wait_for(asked, GREETING))[address]
        except OSError as problem:
            said = problem
        finally:
            self._greeted.discard(address)
        if isinstance(said, OSError):  # it has gone, or is busy
            return
        if isinstance(said, Exception):  # it has no coursekit, say
            self.refuse(address, f"{type(said).__name__}: {said}")
        elif other := remote.differences(said["versions"]):
            self.refuse(address, other)
        else:
            worker = self._workers[address] = Worker(address, said["process"], threads)
            for _ in range(threads):
                self.give_back(worker)
            self.someone.set()

    def _give_up(self, problem):
        """Let all notebooks fail: those that run, those that wait and those to come."""
        self.end = problem
        for worker in list(self._workers.values()):
            self.lose(worker)
        self._free.put_nowait(None)
        self.someone.set()
