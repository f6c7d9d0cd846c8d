"""Which process of pytest-xdist runs which tests: whole modules, and all modules of a shared cloud in one process.

The scheduling of pytest-xdist 3.8 by files hangs after a process died: it gives out again what the process had
finished, as nothing, and who gets nothing waits for ever (https://github.com/pytest-dev/pytest-xdist/issues/1378). It
also gives out again the test that ended the process. Neither happens here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NoReturn, Protocol

from tests.support.clouds import cloud_of

# A process runs a test once it knows the next one, so it needs two.
FEWEST_WAITING = 2


class Process(Protocol):
    """What pytest-xdist calls a node."""

    @property
    def shutting_down(self) -> bool: ...

    def send_runtest_some(self, indices: Sequence[int]) -> None: ...

    def shutdown(self) -> None: ...


class ModuleScheduling:
    """Gives out modules in the order of the collection; it is what pytest-xdist calls a Scheduling."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._collections: dict[Process, list[str]] = {}
        # Where each test stands in the collection; None until work was given out.
        self._places: dict[str, int] | None = None
        # What no process has yet, one module or shared cloud each.
        self._units: deque[list[str]] = deque()
        # What each process has and has not finished, in its order.
        self._work: dict[Process, dict[str, None]] = {}

    @property
    def nodes(self) -> list[Process]:
        return list(self._work)

    @property
    def collection_is_completed(self) -> bool:
        return self._places is not None or len(self._collections) >= self._processes

    @property
    def tests_finished(self) -> bool:
        """Whether no process needs more than to be told that nothing follows."""
        return (
            self.collection_is_completed
            and not self._units
            and all(len(work) < FEWEST_WAITING for work in self._work.values())
        )

    @property
    def has_pending(self) -> bool:
        return bool(self._units) or any(self._work.values())

    def add_node(self, node: Process) -> None:
        self._work[node] = {}

    def add_node_collection(self, node: Process, collection: Sequence[str]) -> None:
        """Note what a process collected; raises RuntimeError if others collected something else."""
        self._collections[node] = list(collection)
        first = next(iter(self._collections.values()))
        if difference := sorted({*first} ^ {*collection}):
            raise RuntimeError(f"the processes collected different tests: {', '.join(difference[:5])}")

    def schedule(self) -> None:
        """Give out work once all processes have collected, and to each one that takes a dead one's place."""
        if self._places is None:
            collection = next(iter(self._collections.values()))
            self._places = {nodeid: place for place, nodeid in enumerate(collection)}
            units: dict[str, list[str]] = {}
            for nodeid in collection:
                module = nodeid.partition("::")[0]
                units.setdefault(cloud_of(module) or module, []).append(nodeid)
            self._units.extend(units.values())
        self._give_out()

    def _give_out(self) -> None:
        """Give work to whoever has little left, and let those go for whom there is none."""
        if self._places is None:
            return
        for node, work in self._work.items():
            if node.shutting_down or node not in self._collections:
                continue
            try:
                while self._units and len(work) <= FEWEST_WAITING:
                    node.send_runtest_some([self._places[nodeid] for nodeid in self._units[0]])
                    work.update(dict.fromkeys(self._units.popleft()))
            except OSError:
                # It has died, which pytest-xdist has not told yet.
                continue
            if not self._units:
                node.shutdown()

    def mark_test_complete(self, node: Process, item_index: int, duration: float = 0) -> None:
        del self._work[node][self._collections[node][item_index]]
        self._give_out()

    def remove_node(self, node: Process) -> str | None:
        """Give out what a process leaves, but not the test that it ran, and name that."""
        # Nobody waits for a process that died before the others had collected.
        self._collections.pop(node, None)
        left = [*self._work.pop(node)]
        if rest := left[1:]:
            self._units.append(rest)
        self._give_out()
        return left[0] if left else None

    def mark_test_pending(self, item: str) -> NoReturn:
        raise NotImplementedError

    def remove_pending_tests_from_node(self, node: Process, indices: Sequence[int]) -> NoReturn:
        raise NotImplementedError
