"""Everyone takes turns, for as long as it is worth."""

from collections.abc import Callable

import pytest

from benchmarks.timing import Effort, measure


class Machine:
    """A clock that only moves when a task runs, and the order in which tasks ran."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ran: list[str] = []

    def clock(self) -> float:
        return self.now

    def task(self, name: str, *seconds: float) -> Callable[[], None]:
        durations = list(seconds)

        def run() -> None:
            self.ran.append(name)
            self.now += durations.pop(0) if len(durations) > 1 else durations[0]

        return run


EFFORT = Effort(shortest=0.02, rounds=10, fewest=3, watched=6, budget=1.0)


def test_times_are_seconds_a_call() -> None:
    machine = Machine()
    times = measure(
        {"a": machine.task("a", 0.004), "b": machine.task("b", 0.03)}, EFFORT, clock=machine.clock
    )
    assert times["a"].median == pytest.approx(0.004)
    assert times["b"].median == pytest.approx(0.03)


def test_short_tasks_are_called_until_a_measurement_is_long_enough() -> None:
    machine = Machine()
    times = measure(
        {"a": machine.task("a", 0.0031), "b": machine.task("b", 0.5)}, EFFORT, clock=machine.clock
    )
    assert times["a"].calls == 7  # 6 would last 18.6 ms
    assert times["b"].calls == 1


def test_slow_tasks_sit_out_rounds_but_never_all() -> None:
    machine = Machine()
    tasks = {name: machine.task(name, seconds) for name, seconds in (("a", 0.02), ("b", 0.2), ("c", 7.0))}
    times = measure(tasks, EFFORT, clock=machine.clock)
    assert [times[name].rounds for name in "abc"] == [10, 5, 3]


def test_a_watched_task_takes_part_more_often() -> None:
    machine = Machine()
    tasks = {name: machine.task(name, 7.0) for name in "ab"}
    times = measure(tasks, EFFORT, watched=["b"], clock=machine.clock)
    assert (times["a"].rounds, times["b"].rounds) == (3, 6)


def test_tasks_take_turns_in_changing_order() -> None:
    machine = Machine()
    tasks = {name: machine.task(name, 0.05) for name in "abc"}
    measure(tasks, EFFORT, clock=machine.clock)
    rounds = ["".join(machine.ran[-3 * k - 3 : len(machine.ran) - 3 * k]) for k in range(10)]
    assert all(sorted(turns) == ["a", "b", "c"] for turns in rounds)
    assert len(set(rounds)) > 1


def test_a_disturbance_moves_the_quartile_not_the_median() -> None:
    machine = Machine()
    warm_up = [0.05] * 3
    task = machine.task("a", *warm_up, *[0.05] * 6, *[0.9] * 3, 0.05)
    time = measure({"a": task}, EFFORT, clock=machine.clock)["a"]
    assert time.median == pytest.approx(0.05)
    assert time.lower == pytest.approx(0.05)
    assert time.upper > 0.2
