"""The tests are given out to processes: whole modules, each test once, and none is lost if processes die."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clouds import CLOUDS, place_of
from tests.support.distribution import ModuleScheduling

ROOT = Path(__file__).parents[3]
SHUTDOWN = -1


class Worker:
    """A process of pytest-xdist: it runs a test when it knows the next one, or knows that none follows."""

    def __init__(self) -> None:
        self.queue: deque[int] = deque()
        self.is_dead = False

    @property
    def shutting_down(self) -> bool:
        return SHUTDOWN in self.queue

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        if self.is_dead:
            raise OSError
        self.queue.extend(indices)

    def shutdown(self) -> None:
        self.queue.append(SHUTDOWN)

    @property
    def can_run(self) -> bool:
        return self.is_dead or len(self.queue) > 1

    @property
    def has_ended(self) -> bool:
        return bool(self.queue) and self.queue[0] == SHUTDOWN


class Session:
    """What pytest-xdist does with the processes, one event at a time."""

    def __init__(self, collection: list[str], processes: int) -> None:
        self.collection = collection
        self.scheduling = ModuleScheduling(processes)
        self.collecting: list[Worker] = []
        self.working: list[Worker] = []
        self.ended: Counter[str] = Counter()
        self.crashed: Counter[str] = Counter()
        self.workers_of: dict[str, set[Worker]] = {}
        for _ in range(processes):
            self._start()

    def _start(self) -> None:
        worker = Worker()
        self.scheduling.add_node(worker)
        self.collecting.append(worker)

    @property
    def able(self) -> list[Worker]:
        """The processes in which something can happen."""
        return [*self.collecting, *(worker for worker in self.working if worker.can_run or worker.has_ended)]

    def step(self, worker: Worker, *, dies: bool) -> None:
        if dies:
            worker.is_dead = True
        elif worker.is_dead:
            self._tell_death(worker)
        elif worker in self.collecting:
            self.collecting.remove(worker)
            self.working.append(worker)
            self.scheduling.add_node_collection(worker, self.collection)
            if self.scheduling.collection_is_completed:
                self.scheduling.schedule()
        elif worker.has_ended:
            self.working.remove(worker)
            assert self.scheduling.remove_node(worker) is None
        else:
            place = worker.queue.popleft()
            nodeid = self.collection[place]
            self.ended[nodeid] += 1
            self.workers_of.setdefault(nodeid.partition("::")[0], set()).add(worker)
            self.scheduling.mark_test_complete(worker, place)
        if self.scheduling.tests_finished:
            for each in self.scheduling.nodes:
                each.shutdown()

    def _tell_death(self, worker: Worker) -> None:
        crashed = self.scheduling.remove_node(worker)
        if worker in self.collecting:
            self.collecting.remove(worker)
        else:
            self.working.remove(worker)
        if crashed is not None:
            self.crashed[crashed] += 1
        self._start()


def module_tests(sizes: list[int]) -> list[str]:
    return [f"tests/test_{module}.py::test_{test}" for module, size in enumerate(sizes) for test in range(size)]


@given(
    st.lists(st.integers(1, 5), max_size=8),
    st.integers(1, 4),
    st.lists(st.integers(0, 60), max_size=5),
    st.randoms(use_true_random=False),
)
def test_each_test_runs_once_whichever_processes_die(
    sizes: list[int], processes: int, deaths: list[int], random: st.DataObject
) -> None:
    session = Session(module_tests(sizes), processes)
    step = 0
    while session.collecting or session.working:
        assert session.able, "the session hangs"
        session.step(random.choice(session.able), dies=step in deaths)  # type: ignore[attr-defined]
        step += 1
    assert session.ended + session.crashed == Counter(session.collection)
    assert sum(session.crashed.values()) <= len(deaths)
    if not any(death < step for death in deaths):
        assert all(len(workers) == 1 for workers in session.workers_of.values())


def test_modules_of_a_shared_cloud_run_in_one_process_in_their_order() -> None:
    modules = [f"tests/end_to_end/{name}" for names in CLOUDS.values() for name in names]
    others = ["tests/cli/test_api.py", "tests/unit/test_text.py"]
    collection = [f"{name}::test_{number}" for name in sorted([*modules, *others], key=place_of) for number in range(3)]
    session = Session(collection, 3)
    while session.able:
        for worker in session.able:
            session.step(worker, dies=False)
    for names in CLOUDS.values():
        assert len(set().union(*(session.workers_of[f"tests/end_to_end/{name}"] for name in names))) == 1
    assert sorted(modules, key=place_of) == modules


def test_processes_that_collected_different_tests_are_told() -> None:
    scheduling, workers = ModuleScheduling(2), (Worker(), Worker())
    for worker in workers:
        scheduling.add_node(worker)
    scheduling.add_node_collection(workers[0], ["a.py::test"])
    with pytest.raises(RuntimeError, match=r"different tests: a\.py::test, b\.py::test"):
        scheduling.add_node_collection(workers[1], ["b.py::test"])


def test_every_module_that_shares_a_cloud_exists() -> None:
    names = [name for names in CLOUDS.values() for name in names]
    assert len(set(names)) == len(names)
    assert [name for name in names if not (ROOT / "tests" / "end_to_end" / name).exists()] == []


@pytest.mark.thorough
@pytest.mark.parametrize("processes", [1, 2])
def test_pytest_goes_on_after_a_process_died(tmp_path: Path, processes: int) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_xdist_make_scheduler\n")
    good = "def test_first(): pass\ndef test_second(): pass\n"
    for name, text in {
        "test_a.py": good,
        "test_b.py": "import os\ndef test_it(): os._exit(1)\ndef test_after(): pass\n",
        "test_c.py": good,
        "test_d.py": "import os\ndef test_it(): os._exit(1)\n",
    }.items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", str(processes), str(tmp_path)]
    run = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert "2 failed, 5 passed" in run.stdout, run.stdout
