"""Presets load, wrong choices are refused with the valid ones, and the command makes the config again."""

from dataclasses import fields
from typing import Any

import pytest
import torch

from torchstn.recipes.distorted_mnist import Config, make_config
from torchstn.recipes.distorted_mnist.paper import paper_error
from torchstn.recipes.record import changed_settings, command, departures, result_record, settings
from torchstn.recipes.training_config import load_preset


@pytest.mark.parametrize("preset", ["demo", "quick", "full", "long", "paper", "best"])
def test_every_preset_makes_a_config(preset: str) -> None:
    config = make_config("R", "st-cnn", preset=preset)
    for name, value in load_preset(Config, preset).items():
        assert getattr(config, name) == value


def test_the_paper_preset_is_the_papers_schedule() -> None:
    config = make_config("R", "cnn", preset="paper")
    assert (config.optimiser, config.learning_rate, config.batch) == ("sgd", 0.01, 256)
    assert (config.iterations, config.stair, config.weight_decay) == (150_000, 50_000, 0)
    assert (config.localisation_rate, config.average_decay, config.clip_norm) == (1, 0, 0)


def test_full_is_quick_with_more_parameters_and_long_is_full_for_twice_the_time() -> None:
    quick, full, long = (load_preset(Config, name) for name in ("quick", "full", "long"))
    assert full == quick | {"parameters": 400_000}
    assert long == full | {name: 2 * full[name] for name in ("iterations", "warm_up")}


def test_every_field_says_what_it_is() -> None:
    for field in fields(Config):
        assert field.metadata["help"].endswith("."), field.name


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"distortion": "Q"}, "`distortion` must be one of none, R, RTS, RTS-undone, P, E, TC, got 'Q'"),
        ({"model": "stcnn"}, "`model` must be one of fcn, cnn, st-fcn, st-cnn, st-deep, got 'stcnn'"),
        ({"transform": "rigid"}, "`transform` must be one of affine, projective, tps, got 'rigid'"),
        ({"preset": "slow"}, "`preset` must be one of demo, quick, full, long, paper, best, got 'slow'"),
        ({"batch": 0}, "`batch` must be at least 1, got 0"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be at least 0, got nan"),
        ({"average_decay": 1.0}, "`average_decay` must be less than 1, got 1.0"),
        ({"warm_up": 50, "iterations": 50}, "`warm_up` must be less than 50 `iterations`, got 50"),
        ({"schedule": "stairs"}, "`stair` must be at least 1"),
    ],
)
def test_a_wrong_value_is_named_with_the_rule(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("[", r"\[")):
        make_config(**({"distortion": "R", "model": "st-cnn"} | wrong))


def test_a_value_of_the_wrong_type_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="`batch` must be int, got '256'"):
        make_config("R", "cnn", batch="256")


def test_a_shorter_training_warms_up_in_proportion() -> None:
    assert make_config("R", "cnn", iterations=20).warm_up == 2
    assert make_config("R", "cnn", iterations=20, warm_up=7).warm_up == 7


def test_cells_are_named_by_distortion_model_and_transform() -> None:
    assert make_config("RTS", "st-cnn", "tps").cell == "rts/st-cnn-tps"
    assert make_config("TC", "cnn", "tps").cell == "tc/cnn"


def test_the_papers_numbers_stand_at_their_cells() -> None:
    assert paper_error(make_config("R", "st-cnn", "affine")) == 0.7
    assert paper_error(make_config("E", "st-fcn", "tps")) == 2.4
    assert paper_error(make_config("TC", "fcn")) == 13.2
    assert paper_error(make_config("TC", "st-cnn", "tps")) is None
    assert paper_error(make_config("none", "cnn")) is None


def test_the_command_names_what_differs_from_the_preset_and_no_folder() -> None:
    config = make_config("RTS", "st-cnn", "tps", seed=2, data_dir="/somewhere", batch=100, validation=5000)
    assert command(config) == (
        "torchstn train distorted-mnist --distortion RTS --model st-cnn --transform tps --preset quick "
        "--seed 2 --data-dir DATA --validation 5000 --batch 100"
    )


@pytest.mark.parametrize("preset", ["quick", "full", "best"])
def test_what_concerns_the_transformer_is_ignored_without_one(preset: str) -> None:
    without = make_config("R", "cnn", preset=preset, leak=0.3)
    assert (without.transform, without.leak) == ("none", 0.0)
    assert "--leak" not in command(without)
    assert changed_settings({"settings": settings(without) | {"leak": 0.0}}, without) == []
    with_one = make_config("R", "st-cnn", preset=preset)
    assert with_one.leak == (0.1 if preset == "best" else 0.0)
    assert "--leak" not in command(with_one)
    assert command(make_config("R", "st-cnn", preset=preset, leak=0.3)).endswith("--leak 0.3")


def test_a_setting_that_a_record_does_not_know_had_what_is_now_its_default() -> None:
    config = make_config("R", "st-deep", preset="best")
    then = {name: value for name, value in settings(config).items() if name not in {"leak", "drawn"}}
    assert changed_settings({"settings": then}, config) == ["leak 0.0, now 0.1"]
    assert changed_settings({"settings": then}, make_config("R", "st-deep", preset="best", leak=0.0)) == []


def test_what_departs_from_its_preset_where_a_record_does_not_is_told() -> None:
    def made(**other: int | float | str) -> dict[str, object]:
        return {"settings": settings(make_config("R", "cnn", preset="quick", **other))}

    config = make_config("R", "cnn", preset="quick", validation=1000, batch=64)
    assert departures(made(), config) == ["validation 1000", "batch 64"]
    assert departures(made(precision="float32"), config) == departures(made(), config)
    assert departures(made(batch=32), config) == []
    assert departures(made(), make_config("R", "cnn", preset="quick")) == []
    once = make_config("R", "cnn", preset="quick", drawn="once", batch=64)
    assert departures(made(drawn="once"), once) == ["batch 64"]
    assert departures(made(drawn="once", batch=32), once) == []


@pytest.mark.parametrize(
    ("choices", "paper"),
    [({"data_dir": "mnist"}, 0.8), ({}, None), ({"data_dir": "mnist", "validation": 1000}, None)],
    ids=["all digits", "the embedded ones", "held-out ones"],
)
def test_the_papers_number_is_kept_of_what_can_be_held_against_it(
    choices: dict[str, Any], paper: float | None
) -> None:
    config = make_config("RTS", "cnn", preset="quick", **choices)
    counts = {"judged": 1, "parameters": 1, "images_seen": 1, "seconds": 1.0}
    named = {"metric": "test error (%)", "data": "digits", "version": None, "measured": {}}
    record = result_record(
        config, value=1.0, paper=paper_error(config), products=torch.float32, **counts, **named
    )
    assert record["paper"] == paper
