"""`torchstn reproduce`: the plan, the costs, the trainings, the table; mistakes are said in a sentence."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from support.stub_jobs import RESULT

from torchstn.cli import reproduce
from torchstn.cli.plainly import out
from torchstn.recipes.record import settings
from torchstn.reproduce import (
    Cell,
    Cost,
    Costs,
    Job,
    Left,
    Outcome,
    Plan,
    Scheduler,
    Terminal,
    costs,
    costs_path,
    read_costs,
    select,
    write_costs,
)
from torchstn.training import Checkpoint, Run

from .conftest import Call

TINY = ("--", "--iterations", 3, "--batch", 8, "--parameters", 40_000)


def places(folder: Path) -> tuple[object, ...]:
    return ("--preset", "demo", "--results", folder / "results", "--runs", folder / "runs")


def test_plan_lists_every_cell_and_starts_nothing(call: Call, tmp_path: Path) -> None:
    done = call("reproduce", "table-1", *places(tmp_path), "--plan", "--seeds", "0,1", "--only", "rts/*")
    assert done.exit_code == 0
    assert done.output.count("to do") == 16
    assert "0 of 16 done" in done.output
    assert "To go: 16 trainings that nobody has measured (--costs does);" in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_second_pattern_without_its_option_is_refused(call: Call, tmp_path: Path) -> None:
    done = call("reproduce", "table-1", *places(tmp_path), "--plan", "--only", "rts/*", "p/*")
    assert done.exit_code == 2
    assert "'p/*' is no option" in done.output
    assert "--only before each" in done.output


def test_a_narrow_terminal_cuts_nothing_off(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out, "width", 80)
    monkeypatch.setattr(reproduce, "_state", lambda job: "57.39 (paper 47.7), of other settings")
    monkeypatch.setattr(Plan, "left", lambda plan, job: Left(52 * 60.0))
    done = call("reproduce", "all", *places(tmp_path), "--plan", "--only", "rts/*")
    assert done.exit_code == 0
    assert "…" not in done.output
    assert done.output.count("52 min") == done.output.count("settings") == 16
    assert "To go: 13.9 h of one process;" in done.output


def test_what_is_measured_and_what_is_not_are_both_told(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plan, "left", lambda plan, job: None if "tps" in job.cell.name else Left(60.0))
    done = call("reproduce", "table-1", *places(tmp_path), "--plan", "--only", "r/st-fcn-*")
    assert "To go: 2 min of one process, and 1 training that nobody has measured" in done.output


def test_what_was_measured_elsewhere_is_a_guess(call: Call, tmp_path: Path) -> None:
    own = costs_path(tmp_path / "results")
    took = [
        Cost("distorted-mnist", cell, "demo", 4, 0.2, 128, 600, 0.0, None, "2026-01-01", None)
        for cell in ("r/fcn", "r/cnn")
    ]
    write_costs(own.with_name("far-away.json"), Costs("A machine far away, 8 cores, Linux", tuple(took)))
    only = [word for name in ("fcn", "cnn", "st-cnn-tps") for word in ("--only", f"r/{name}")]
    done = call("reproduce", "table-1", *places(tmp_path), "--plan", *only)
    assert done.output.count("~2 min") == 2
    assert "To go: ~4 min of 2 trainings not measured here (--costs does), and 1 training that" in done.output
    assert "~ is what it took on A machine far away, 8 cores, with --threads 4." in done.output
    write_costs(own, Costs("This one", tuple(replace(cost, threads=1) for cost in took)))
    done = call("reproduce", "table-1", *places(tmp_path), "--plan", "--only", "r/fcn")
    assert "To go: 2 min of one process;" in done.output
    assert "~" not in done.output


def test_while_it_trains_the_time_to_go_is_the_plans(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked(scheduler: Scheduler) -> Outcome:
        assert isinstance(scheduler.view, Terminal)
        assert [scheduler.view.left(job) for job in scheduler.waiting] == [
            Left(120.0, "A, B, with --threads 4")
        ]
        return scheduler.outcome

    monkeypatch.setattr(Scheduler, "run", looked)
    cost = Cost("distorted-mnist", "r/fcn", "demo", 4, 0.2, 128, 600, 0.0, None, "2026-01-01", None)
    write_costs(costs_path(tmp_path / "results").with_name("far-away.json"), Costs("A, B, C", (cost,)))
    assert call("reproduce", "table-1", *places(tmp_path), "--only", "r/fcn").exit_code == 0


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Plan, int]]:
    """What would have been trained, and how much of it at a time: nothing is."""
    asked: list[tuple[Plan, int]] = []
    monkeypatch.setattr(reproduce, "_train", lambda *what: asked.append(what) or [])
    return asked


def keep(job: Job, **changes: object) -> None:
    """Leaves a result behind."""
    job.result.parent.mkdir(parents=True, exist_ok=True)
    named = {"recipe": job.cell.recipe, "cell": job.cell.name, "preset": job.preset, "seed": job.seed}
    record = RESULT | named | {"settings": settings(job.config)} | changes
    job.result.write_text(json.dumps(record))


def one_job(folder: Path, preset: str = "demo") -> Job:
    (cell,) = select("table-1", ("r/fcn",))
    return Job(cell, preset, 0, folder / "results", folder / "runs")


def test_the_plan_tells_what_is_done_begun_and_to_do(call: Call, tmp_path: Path) -> None:
    done, begun = one_job(tmp_path), replace(one_job(tmp_path), seed=1)
    keep(done, value=3.21)
    run = Run(begun.run)
    run.start({"recipe": "distorted-mnist", **asdict(begun.config)})
    run.save_checkpoint(Checkpoint(150, {}))
    words = ("reproduce", "table-1", *places(tmp_path), "--plan", "--only", "r/fcn", "--seeds", "0,1,0,2")
    told = call(*words).output
    assert "3.21 (paper 0.5)" in told
    assert f"at step 150 of {begun.config.iterations:,}" in told
    assert told.count("to do") == 1
    assert "1 of 3 done" in told
    assert "0 s" not in told.partition("1 of 3 done")[0]
    assert "other settings" not in told
    keep(done, value=3.21, settings=settings(done.config) | {"learning_rate": 0.5})
    told = call(*words).output
    assert "3.21 (paper 0.5), of other settings" in told
    assert "r-fcn seed 0 was trained with learning_rate 0.5, now" in told


def test_threads_and_the_number_at_a_time_are_those_that_were_asked_for(
    call: Call, tmp_path: Path, trained: list[tuple[Plan, int]]
) -> None:
    words = ("reproduce", "table-1", *places(tmp_path), "--only", "r/fcn", "--threads", 2, "--jobs", 3)
    assert call(*words, "--again").exit_code == 0
    ((plan, side_by_side),) = trained
    assert (plan.threads, side_by_side) == (2, 3)
    assert [(job.more, job.again) for job in plan.jobs] == [(("--threads", "2"), True)]
    assert "3 side by side, with --threads 2 each" in call(*words, "--plan").output


def test_the_table_at_the_end_has_results_of_the_asked_preset_alone(
    call: Call, tmp_path: Path, trained: list[tuple[Plan, int]]
) -> None:
    keep(one_job(tmp_path), value=3.21)
    keep(one_job(tmp_path, "paper"), value=4.32)
    told = call("reproduce", "table-1", *places(tmp_path), "--only", "r/fcn").output
    assert "3.21" in told
    assert "4.32" not in told


def test_what_is_interrupted_says_how_to_go_on(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(scheduler: Scheduler) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Scheduler, "run", interrupted)
    monkeypatch.setattr("sys.argv", ["/somewhere/torchstn", "reproduce", "table-1", "--only", "r/*"])
    done = call("reproduce", "table-1", *places(tmp_path), "--only", "r/fcn")
    assert done.exit_code == 130
    assert "Go on with: torchstn reproduce table-1 --only 'r/*'" in done.output


def test_costs_come_to_those_that_are_known_and_nothing_is_trained(
    call: Call, tmp_path: Path, trained: list[tuple[Plan, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(cell: Cell, preset: str, threads: int, more: tuple[str, ...]) -> Cost:
        assert more == ("--threads", "1")
        return Cost(cell.recipe, cell.name, preset, threads, 0.1, 128, 600, 1.0, None, "today", None)

    monkeypatch.setattr(reproduce, "measure", measure)
    for pattern in ("r/fcn", "r/cnn"):
        assert call("reproduce", "table-1", *places(tmp_path), "--costs", "--only", pattern).exit_code == 0
    known = read_costs(costs_path(tmp_path / "results")).known
    assert [cost.cell for cost in known] == ["r/fcn", "r/cnn"]
    assert trained == []


@pytest.mark.slow
def test_cells_are_trained_once_and_shown_beside_the_papers(call: Call, tmp_path: Path) -> None:
    words = ("reproduce", "table-1", *places(tmp_path), "--only", "r/fcn", "--only", "r/st-fcn-tps")
    done = call(*words, *TINY)
    assert done.exit_code == 0, done.output
    path = tmp_path / "results/distorted-mnist/demo/r/st-fcn-tps/seed-0.json"
    record = json.loads(path.read_text())
    assert record["images_seen"] == 24
    assert f"| `st-fcn-tps` | {record['value']:.2f} (1.1) |" in done.output
    before = path.stat().st_mtime_ns
    again = call(*words, *TINY)
    assert "2 of 2 are done" in again.output
    assert path.stat().st_mtime_ns == before
    planned = call(*words, "--plan", *TINY).output
    assert f"{record['value']:.2f} " in planned
    assert "other settings" not in planned


@pytest.mark.slow
def test_what_was_trained_otherwise_is_named_and_trained_when_asked_to(call: Call, tmp_path: Path) -> None:
    words = ("reproduce", "table-1", *places(tmp_path), "--only", "r/fcn")
    other = (*TINY, "--learning-rate", 0.5)
    assert call(*words, *TINY).exit_code == 0
    kept = call(*words, *other)
    assert "1 of 1 are done" in kept.output
    assert "other settings than the preset's (--again trains them): r-fcn seed 0" in kept.output
    assert "to do again" in call(*words, "--plan", "--again", *other).output
    done = call(*words, "--again", *other)
    assert done.exit_code == 0, done.output
    record = json.loads((tmp_path / "results/distorted-mnist/demo/r/fcn/seed-0.json").read_text())
    assert record["settings"]["learning_rate"] == 0.5
    assert (tmp_path / "runs/r-fcn-demo-seed-0-before-1/result.json").exists()
    assert "1 of 1 are done" in call(*words, "--again", *other).output


@pytest.mark.slow
def test_a_failing_cell_is_named_with_its_reason(call: Call, tmp_path: Path) -> None:
    words = ("--only", "r/fcn", "--", "--iterations", 3, "--batch", 5000)
    done = call("reproduce", "table-1", *places(tmp_path), *words)
    assert done.exit_code == 1
    assert "r-fcn seed 0 FAILED" in done.output
    assert "`batch` must be at most the number of training samples, 4000, got 5000" in done.output
    assert "1 of the trainings failed: r-fcn seed 0" in done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
def test_costs_are_measured_kept_and_used(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs, "_LONG", 0.1)
    words = ("reproduce", "table-1", *places(tmp_path), "--only", "r/fcn")
    done = call(*words, "--costs")
    assert done.exit_code == 0, done.output
    (path,) = (tmp_path / "results/costs").iterdir()
    (cost,) = json.loads(path.read_text())["costs"]
    assert cost["pace"] > 0
    assert (cost["batch"], cost["steps"]) == (128, 600)
    assert "| `fcn` |" in done.output
    assert "nobody has measured" not in call(*words, "--plan").output
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("tabel-1",), "must be one of table-1, cluttered"),
        (("table-1", "--only", "q/*"), "No cell of table-1 matches 'q/*'"),
        (("table-1", "--preset", "slow"), "must be one of demo, quick, full, long, paper"),
        (("table-1", "--preset", "quick"), "torchstn data get mnist"),
        (
            ("all", "--preset", "demo", "--plan", "--", "--leak=0", "--nonsense", "3"),
            "--nonsense is no option of torchstn train distorted-mnist",
        ),
        (
            ("co-localisation", "--preset", "demo", "--plan", "--", "--film"),
            "--film is no option of torchstn train co-localisation",
        ),
        (("table-1", "--preset", "demo", "--data-dir", "no"), "--data-dir must hold the four files of MNIST"),
        (("table-1", "--preset", "demo", "--plan", "--", "--threads=2"), "--threads must come before --"),
        (("table-1", "--preset", "demo", "--plan", "--", "--data-dir", "x"), "--data-dir must come before"),
        (("table-1", "--preset", "demo", "--plan", "--", "--batch", "x"), "--batch must be a whole number"),
        (("table-1", "--preset", "demo", "--plan", "--", "--batch=0"), "`batch` must be at least 1, got 0"),
        (
            ("table-1", "--preset", "demo", "--seeds", "0;1"),
            "--seeds must be whole numbers as 0,1,2; got '0;1'",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    call: Call, words: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("reproduce", *words)
    assert done.exit_code == 2
    assert message in done.output
    assert "Traceback" not in done.output
