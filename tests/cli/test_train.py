"""`torchstn train`: names, settings, the folder, the result, going on."""

import json
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest
from support.stub_jobs import RESULT

from torchstn.cli.training import resume_command
from torchstn.recipes.co_localisation import Config as CoLocalisation
from torchstn.recipes.distorted_mnist import Config
from torchstn.recipes.record import settings
from torchstn.recipes.training_config import load_preset
from torchstn.training import Run

from .conftest import Call

TINY = ("--preset", "demo", "--iterations", 2, "--batch", 8, "--threads", 1)


def test_settings_reach_the_run(call: Call, tmp_path: Path) -> None:
    words = ("--distortion", "tc", "--model", "FCN", "--seed", 7, "--learning-rate", 0.5)
    assert call("train", "distorted-mnist", *TINY, *words, "--out", tmp_path / "run").exit_code == 0
    config = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    changed = {"distortion": "TC", "model": "fcn", "seed": 7, "learning_rate": 0.5}
    changed |= {"iterations": 2, "batch": 8}
    assert config.items() >= changed.items()
    kept = {
        name: value
        for name, value in load_preset(Config, "demo").items()
        if name not in {*changed, "warm_up"}
    }
    assert config.items() >= kept.items()


@pytest.mark.parametrize("preset", Config.presets())
def test_a_preset_is_what_is_trained(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str
) -> None:
    """No default of an option stands above it, nor below what is given."""
    trained: list[Config] = []
    monkeypatch.setattr("torchstn.cli.train.run_training", lambda config, *_, **__: trained.append(config))
    words = ("train", "distorted-mnist", "--preset", preset, "--out", tmp_path / "run")
    assert call(*words).exit_code == 0
    assert call(*words, "--leak", 0.25, "--warm-up", 1).exit_code == 0
    as_made, changed = trained
    assert as_made == Config.make(preset, data_dir=as_made.data_dir)
    assert changed == replace(as_made, leak=0.25, warm_up=1)


def test_every_field_of_the_config_is_an_option_with_its_help(call: Call) -> None:
    text = " ".join(call("train", "distorted-mnist", "--help").output.split())
    for field in fields(Config):
        assert f"--{field.name.replace('_', '-')} " in text
        assert field.metadata["help"].split(",")[0] in text


def test_result_is_shown_and_kept_where_the_tables_look_for_it(call: Call, tmp_path: Path) -> None:
    words = ("--model", "fcn", "--out", tmp_path / "run", "--results", tmp_path / "results")
    done = call("train", "distorted-mnist", *TINY, *words)
    record = json.loads((tmp_path / "results/distorted-mnist/demo/rts/fcn/seed-0.json").read_text())
    assert record == json.loads((tmp_path / "run" / "result.json").read_text())
    assert f"{record['value']:.2f}" in done.output
    table = call("results", tmp_path / "results").output
    assert f"| {record['value']:.2f} (5.2) |" in table


@pytest.mark.parametrize(
    ("recipe", "cell"), [("distorted-mnist", "rts/cnn"), ("co-localisation", "tc/digit-8")]
)
def test_a_result_is_not_replaced_by_one_further_from_its_preset(
    call: Call, tmp_path: Path, recipe: str, cell: str
) -> None:
    path = tmp_path / "results" / recipe / "demo" / cell / "seed-0.json"
    path.parent.mkdir(parents=True)
    config = {"distorted-mnist": Config, "co-localisation": CoLocalisation}[recipe].make("demo")
    path.write_text(json.dumps(RESULT | {"settings": settings(config)}))
    words = ("--preset", "demo", "--validation", 1000, "--out", tmp_path / "run")
    words += ("--model", "cnn") if recipe == "distorted-mnist" else ()
    done = call("train", recipe, *words, "--results", tmp_path / "results")
    assert done.exit_code == 2
    assert f"{path} holds a result of preset demo, and this training, with validation 1000" in done.output
    assert not (tmp_path / "run").exists()


def test_run_without_a_name_gets_one(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("train", "distorted-mnist", *TINY, "--model", "fcn").exit_code == 0
    assert (tmp_path / "runs/rts-fcn-demo-seed-0/model.safetensors").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--distortion", "RTX"), "one of none, R, RTS, RTS-undone, P, E, TC, got 'RTX'. Did you mean RTS?"),
        (("--model", "vit"), "must be one of fcn, cnn, st-fcn, st-cnn, st-deep, got 'vit'."),
        (("--transform", "afine"), "Did you mean affine?"),
        (("--preset", "slow"), "must be one of demo, quick, full, long, paper"),
        (("--optimiser", "sdg"), "`optimiser` must be one of sgd, adamw, muon, got 'sdg'"),
        (("--iterations", "many"), "--iterations"),
        (("--seed", "-1"), "`seed` must be at least 0, got -1"),
        (("--parameters", "100"), "`parameters`"),
        (
            ("--data-dir", "nowhere"),
            "--data-dir must hold the four files of MNIST, gzipped or not, but nowhere",
        ),
    ],
)
def test_wrong_value_is_said_in_a_sentence(
    call: Call, words: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("train", "distorted-mnist", "--preset", "demo", *words)
    assert done.exit_code == 2
    assert message in done.output
    assert "Traceback" not in done.output


def test_folder_that_holds_a_run_is_not_touched(call: Call, run: Path) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    done = call("train", "distorted-mnist", *TINY, "--out", run)
    assert done.exit_code == 2
    assert "already holds a run; go on with it by --resume" in done.output
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


def test_missing_mnist_is_told_once_and_the_embedded_digits_serve(call: Call, tmp_path: Path) -> None:
    words = ("--preset", "quick", "--model", "fcn", "--out", tmp_path / "run")
    done = call("train", "distorted-mnist", *TINY[2:], *words)
    assert done.exit_code == 0
    assert done.output.count("torchstn data get mnist") == 1
    assert "mnist-5000" in json.loads((tmp_path / "run" / "result.json").read_text())["data"]


def test_resume_command_is_what_was_typed_and_resume() -> None:
    typed = ["/bin/torchstn", "train", "distorted-mnist", "--out", "a b"]
    assert resume_command(typed) == "torchstn train distorted-mnist --out 'a b' --resume"
    assert resume_command([*typed, "--resume"]) == "torchstn train distorted-mnist --out 'a b' --resume"


def test_control_c_ends_cleanly_and_says_how_to_go_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "torchstn",
        "train",
        "distorted-mnist",
        "--preset",
        "demo",
        "--iterations",
        "40",
    ]
    command += [
        "--model",
        "fcn",
        "--batch",
        "8",
        "--threads",
        "1",
        "--checkpoint-seconds",
        "0",
        "--out",
        str(run),
    ]
    # A shell that starts jobs in the background has them ignore Ctrl-C, and children inherit that.
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as training:
            until = time.monotonic() + 120
            while not list(run.glob("checkpoints/step-*")) and time.monotonic() < until:
                time.sleep(0.05)
            training.send_signal(signal.SIGINT)
            output, _ = training.communicate(timeout=120)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert training.returncode == 130
    assert "Traceback" not in output
    resume = next(
        line for line in output.splitlines() if line.startswith("Stopped. Go on with: torchstn train")
    )
    words = resume.removeprefix("Stopped. Go on with: torchstn ").split()
    subprocess.run([sys.executable, "-m", "torchstn", *words], check=True, capture_output=True)
    assert json.loads((run / "result.json").read_text())["images_seen"] == 320


def test_a_run_in_use_ends_with_a_code_of_its_own(call: Call, tmp_path: Path) -> None:
    with Run(tmp_path).lock():
        done = call("train", "distorted-mnist", *TINY, "--out", tmp_path)
    assert done.exit_code == 75  # EX_TEMPFAIL of sysexits.h
    assert "is in use" in done.output
