"""The plan tells what is done, begun and to do, and what the rest takes, from files and measured costs."""

import json
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from support.stub_jobs import RESULT

from torchstn.recipes.distorted_mnist import Config
from torchstn.recipes.record import settings
from torchstn.recipes.supervised import train
from torchstn.reproduce import (
    Cell,
    Cost,
    Costs,
    Job,
    Plan,
    costs_path,
    plan,
    read_costs,
    read_costs_elsewhere,
    write_costs,
)
from torchstn.reproduce import costs as module
from torchstn.reproduce.tables import costs_table, duration
from torchstn.training import Checkpoint, Run

CELL = Cell("distorted-mnist", "rts/cnn", (("distortion", "RTS"), ("model", "cnn")))
MORE = ("--iterations", "1000", "--warm-up=10")
COST = Cost(
    "distorted-mnist",
    "rts/cnn",
    "quick",
    1,
    pace=0.2,
    batch=128,
    steps=1000,
    start=10.0,
    memory=4 * 10**9,
    measured="2026-01-01T00:00:00+00:00",
    commit=None,
)


def job(folder: Path, seed: int = 0) -> Job:
    return Job(CELL, "quick", seed, folder / "results", folder / "runs", MORE)


def begin(one: Job, step: int, seconds: float | None, **other: Any) -> None:
    """Leaves behind what a training that was killed does."""
    run = Run(one.run)
    run.start({"recipe": one.config.recipe, **asdict(one.config), **other})
    run.save_checkpoint(Checkpoint(step, {}))
    if seconds is not None:
        run.metrics.append({"step": 100, "seconds": seconds, "error": 12.5})


def made(one: Job) -> None:
    one.result.parent.mkdir(parents=True, exist_ok=True)
    one.result.write_text(json.dumps(RESULT))


def test_files_have_the_place_that_results_have(tmp_path: Path) -> None:
    one = job(tmp_path, seed=2)
    assert one.result == tmp_path / "results/distorted-mnist/quick/rts/cnn/seed-2.json"
    assert one.run == tmp_path / "runs/rts-cnn-quick-seed-2"


def test_the_command_trains_the_cell_and_goes_on(tmp_path: Path) -> None:
    words = " ".join(replace(job(tmp_path, seed=2), more=("--threads", "1")).command)
    assert "train distorted-mnist --distortion RTS --model cnn --preset quick --seed 2 --resume" in words
    assert f"--out {job(tmp_path, 2).run} --results {tmp_path / 'results'} --threads 1" in words


def test_progress_is_read_from_checkpoints_and_metrics(tmp_path: Path) -> None:
    assert job(tmp_path).progress().step == 0
    begin(job(tmp_path), 150, seconds=30.0)
    seen = job(tmp_path).progress()
    assert (seen.step, seen.steps, seen.error, seen.pace) == (150, 1000, 12.5, 0.3)
    assert seen.seconds_left == pytest.approx(850 * 0.3)


def test_the_progress_of_several_attempts_is_that_of_all_together(tmp_path: Path) -> None:
    one = job(tmp_path)
    begin(one, 0, None)
    first, second = (Run(one.run / f"attempt-{number}") for number in range(2))
    first.metrics.append({"step": 1000, "seconds": 100.0})
    second.metrics.append({"step": 400, "seconds": 60.0})
    second.save_checkpoint(Checkpoint(500, {}))
    seen = one.progress()
    assert (seen.step, seen.pace) == (1500, pytest.approx(160 / 1400))


def test_what_has_begun_comes_first_and_what_is_done_not_at_all(tmp_path: Path) -> None:
    jobs = [job(tmp_path, seed) for seed in range(3)]
    made(jobs[0])
    begin(jobs[2], 10, None)
    assert Plan(tuple(jobs), 1, Costs("m")).to_do == [jobs[2], jobs[1]]


def test_the_longest_come_first_but_every_cell_once_before_another_seed(tmp_path: Path) -> None:
    long, short = CELL, replace(CELL, name="rts/fcn")
    known = (COST, replace(COST, cell="rts/fcn", pace=0.01))
    cells = [(short, 0), (long, 0), (short, 1), (long, 1)]
    jobs = tuple(replace(job(tmp_path, seed), cell=cell) for cell, seed in cells)
    assert Plan(jobs, 1, Costs("m", known)).to_do == [jobs[1], jobs[0], jobs[3], jobs[2]]


def test_what_is_left_is_known_by_its_own_pace_or_by_the_measured_one(tmp_path: Path) -> None:
    jobs = [job(tmp_path, seed) for seed in range(4)]
    made(jobs[0])
    begin(jobs[1], 150, seconds=30.0)
    begin(jobs[2], 150, None)
    known = Plan(tuple(jobs), 1, Costs("m", (COST,)))
    lefts = (0, 850 * 0.3, 10 + 850 * 0.2, 10 + 1000 * 0.2)
    assert [known.left(one) for one in jobs] == [(pytest.approx(seconds), "") for seconds in lefts]
    assert plan.in_all(known, jobs) == (pytest.approx(255 + 180 + 210), (), 0)
    assert plan.in_all(Plan(tuple(jobs), 1, Costs("m")), jobs) == (pytest.approx(255), (), 2)


def test_what_is_not_measured_here_is_guessed_from_other_threads_or_other_machines(tmp_path: Path) -> None:
    jobs = (job(tmp_path), replace(job(tmp_path, 1), cell=replace(CELL, name="rts/fcn")))
    four, eight = (
        Costs(f"with {threads}, 9 cores, Linux", (replace(COST, threads=threads, pace=threads / 10),))
        for threads in (4, 8)
    )
    begin(jobs[0], 150, None)
    elsewhere = Plan(jobs, 7, Costs("m"), (four, eight))
    assert elsewhere.left(jobs[0]) == (pytest.approx(10 + 850 * 0.8), "with 8, 9 cores, with --threads 8")
    here = replace(elsewhere, costs=Costs("m", (COST,)))
    assert here.left(jobs[0]) == (pytest.approx(10 + 850 * 0.2), "m, with --threads 1")
    assert here.left(jobs[1]) is None
    assert plan.in_all(here, jobs) == (0, (here.left(jobs[0]),), 1)
    known = replace(here, threads=1)
    assert known.left(jobs[0]) == (pytest.approx(10 + 850 * 0.2), "")
    assert plan.in_all(known, jobs) == (pytest.approx(10 + 850 * 0.2), (), 1)


def test_the_longest_comes_first_where_its_length_is_a_guess(tmp_path: Path) -> None:
    short, long = (replace(job(tmp_path), cell=replace(CELL, name=name)) for name in ("rts/fcn", "rts/cnn"))
    costs = Costs("m", (replace(COST, cell="rts/fcn", pace=0.1), COST))
    assert Plan((short, long), 2, Costs("n"), (costs,)).to_do == [long, short]


def test_a_result_of_other_settings_is_told_and_with_again_does_not_count(tmp_path: Path) -> None:
    one = job(tmp_path)
    made(one)
    record = json.loads(one.result.read_text()) | {"settings": settings(one.config)}
    one.result.write_text(json.dumps(record))
    again = replace(one, again=True)
    assert one.changes == []
    assert again.record == record
    record["settings"] |= {"optimiser": "adamw", "learning_rate": 0.5, "of_an_older_version": 1}
    one.result.write_text(json.dumps(record))
    now = one.config
    assert isinstance(now, Config)
    changes = [f"optimiser adamw, now {now.optimiser}", f"learning_rate 0.5, now {now.learning_rate}"]
    assert sorted(one.changes) == sorted(changes)
    assert one.record == record
    assert again.record is None
    assert Plan((one, again), 1, Costs("m")).to_do == [again]


def test_a_result_without_settings_tells_by_its_images(tmp_path: Path) -> None:
    one = job(tmp_path)
    made(one)
    for images, changes in ((128_000, []), (64_000, ["64,000 images, now 128,000"])):
        one.result.write_text(json.dumps(RESULT | {"images_seen": images}))
        assert one.changes == changes


@pytest.mark.parametrize(
    ("content", "message"),
    [('{"value": 1', "not JSON"), ("[]", "must be a JSON object"), ("{}", "the field 'recipe' is missing")],
)
def test_a_file_that_is_no_result_is_named(tmp_path: Path, content: str, message: str) -> None:
    one = job(tmp_path)
    made(one)
    one.result.write_text(content)
    with pytest.raises(ValueError, match=rf"seed-0.json: .*{message}"):
        Plan((one,), 1, Costs("m")).to_do  # noqa: B018  # it is asked for the sake of the refusal


def test_a_run_begun_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process made room, and began the training, just before the folder was ours."""
    one = job(tmp_path)
    begin(one, 100, None, optimiser="other")
    lock = Run.lock

    def late(run: Run) -> AbstractContextManager[None]:
        begin(one, 100, None)
        return lock(run)

    monkeypatch.setattr(Run, "lock", late)
    one.make_room()
    assert one.is_started


def test_a_run_of_other_settings_makes_room_and_is_kept(tmp_path: Path) -> None:
    one = job(tmp_path)
    for number in (1, 2):
        begin(one, 100, None)
        assert one.is_started
        begin(one, 100, None, optimiser=f"other{number}")
        assert not one.is_started
        assert one.progress().step == 0
        one.make_room()
        assert not one.run.exists()
        assert Run(f"{one.run}-before-{number}").config["optimiser"] == f"other{number}"
    begin(one, 100, None)
    one.make_room()
    assert Run(one.run).latest_step == 100


def test_a_run_has_begun_only_where_the_training_would_go_on(tmp_path: Path) -> None:
    """A result's products may have been of either type; a run that goes on is to be of one."""
    one = job(tmp_path)
    begin(one, 100, None, precision="float32")
    assert not one.is_started
    with pytest.raises(ValueError, match="precision was 'float32', now 'auto'"):
        train(one.config, one.run, resume=True, progress=False)
    begin(one, 100, None, threads=3, checkpoint_seconds=1.0)
    assert one.is_started


@pytest.mark.parametrize(
    ("cores", "threads", "free", "many"),
    [(8, 1, 10**12, 8), (8, 2, 10**12, 4), (8, 1, 9 * 10**9, 2), (1, 2, 10**9, 1), (8, 1, None, 8)],
)
def test_so_many_fit_cores_and_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, threads: int, free: int | None, many: int
) -> None:
    monkeypatch.setattr(plan, "cores", lambda: cores)
    monkeypatch.setattr(plan, "free_memory", lambda: free)
    jobs = tuple(job(tmp_path, seed) for seed in range(9))
    assert Plan(jobs, threads, Costs("m", (replace(COST, threads=threads),))).side_by_side() == many


def test_what_is_done_needs_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "cores", lambda: 8)
    monkeypatch.setattr(plan, "free_memory", lambda: 9 * 10**9)
    large, small = job(tmp_path), replace(job(tmp_path), cell=replace(CELL, name="rts/fcn"), seed=1)
    made(large)
    costs = Costs("m", (COST, replace(COST, cell="rts/fcn", memory=10**9)))
    # One and a half gigabytes, and not one: there is something else that a measurement does not see.
    assert Plan((large, *[small] * 8), 1, costs).side_by_side() == 6


def test_free_is_what_can_be_freed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "meminfo"
    told.write_text("MemTotal:  900 kB\nMemFree:  10 kB\nMemAvailable:  20 kB\n")
    monkeypatch.setattr(plan, "Path", lambda name: told)
    assert plan.free_memory() == 20 * 1024
    told.unlink()
    assert plan.free_memory() is None


def test_each_machine_has_costs_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []
    for name in ("one", "other"):
        monkeypatch.setattr(module, "machine_slug", lambda name=name: name)
        paths.append(costs_path(tmp_path))
    write_costs(paths[0], Costs("one", (COST,)))
    assert read_costs(paths[1]).known == ()
    assert read_costs_elsewhere(tmp_path) == (Costs("one", (COST,)),)
    write_costs(paths[1], Costs("other"))
    assert read_costs_elsewhere(tmp_path) == (Costs("one", (COST,)),)


def test_costs_are_kept_and_replaced(tmp_path: Path) -> None:
    path = costs_path(tmp_path)
    assert path.parent == tmp_path / "costs"
    costs = read_costs(path).with_(COST).with_(replace(COST, threads=2)).with_(replace(COST, pace=0.5))
    write_costs(path, costs)
    assert read_costs(path) == costs
    found = costs.find(CELL, "quick", 1)
    assert found is not None
    assert (len(costs.known), found.pace) == (2, 0.5)
    assert costs.find(CELL, "paper", 1) is None


def test_what_is_measured_of_the_preset_is_not_said_of_another_batch(tmp_path: Path) -> None:
    one = job(tmp_path)
    known = Plan((one,), 1, Costs("m", (COST,)))
    assert known.left(replace(one, more=("--iterations", "50"))) == (pytest.approx(10 + 50 * 0.2), "")
    assert known.left(replace(one, more=("--batch", "512"))) is None


def test_another_batch_costs_something_else_and_another_length_does_not() -> None:
    large = replace(COST, pace=0.9, changes="batch 512")
    costs = Costs("m").with_(COST).with_(large)
    assert costs.find(CELL, "quick", 1, ("--batch", "512", "--learning-rate", "0.1")) == large
    assert costs.find(CELL, "quick", 1, ("--iterations=7", "--data-dir", "/d", "--threads", "1")) == COST
    assert costs.find(CELL, "quick", 1, ("--device", "cpu")) is None
    table = costs_table([costs])
    assert "preset `quick`, one thread" in table
    assert "preset `quick` with batch 512, one thread" in table


@pytest.mark.parametrize("content", ["{", "[]", '{"machine": "m", "costs": [{"pace": 1}]}'])
def test_a_file_that_holds_no_costs_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "costs.json").write_text(content)
    with pytest.raises(ValueError, match=r"costs.json holds no costs"):
        read_costs(tmp_path / "costs.json")


def test_costs_stand_in_the_table_as_seconds_an_epoch_and_time_in_all() -> None:
    table = costs_table([Costs("a machine", (COST,))])
    assert "one thread of a machine" in table
    assert "| `cnn` | 93.8 (4 min) |" in table  # 0.2 s of 128 images; 210 s in all
    assert costs_table([]) == "No costs measured yet.\n"


def test_the_table_of_costs_tells_the_sum_of_times_and_the_most_of_memories() -> None:
    other = replace(COST, cell="rts/fcn", pace=2.1, memory=10**9)  # 10 + 2100 seconds, to 210 of the cnn
    table = costs_table([Costs("a machine", (COST, other))])
    assert "All together 39 min, at most 4.0 GB a training." in table
    assert "| `fcn` | 984 (35 min) |" in table


def test_costs_with_other_threads_stand_in_a_table_of_their_own() -> None:
    table = costs_table([Costs("a machine", (replace(COST, threads=2, pace=0.1), COST))])
    one, two = table.split("\n\n`")
    assert "one thread of a machine" in one
    assert "| `cnn` | 93.8 (4 min) |" in one
    assert "2 threads of a machine" in two
    assert "| `cnn` | 46.9 (2 min) |" in two


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.2, "3 s"), (59.4, "59 s"), (59.6, "1 min"), (5399, "90 min"), (5400, "1.5 h")]
)
def test_durations_have_the_unit_that_suits_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
