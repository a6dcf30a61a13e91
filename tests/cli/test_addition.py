"""The commands on a run of MNIST addition: two digits a picture, two transformers."""

import json
from pathlib import Path

import pytest
from PIL import Image

from .conftest import Call


@pytest.fixture(scope="module")
def sums(call: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "2xst-fcn"
    words = "train mnist-addition --preset demo --iterations 3 --batch 16 --threads 1 --transform tps --out"
    assert call(*words.split(), folder).exit_code == 0
    return folder


def test_the_run_says_what_it_is(sums: Path) -> None:
    assert 'recipe = "mnist-addition"' in (sums / "config.toml").read_text()
    record = json.loads((sums / "result.json").read_text())
    assert (record["recipe"], record["cell"]) == ("mnist-addition", "rts/2xst-fcn-tps")
    assert record["command"].startswith("torchstn train mnist-addition --model 2xst-fcn --transform tps")


def test_a_run_without_a_name_is_not_taken_for_one_of_the_other_recipe(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = "train mnist-addition --preset demo --iterations 1 --batch 8 --threads 1 --model fcn"
    assert call(*words.split()).exit_code == 0
    assert (tmp_path / "runs/addition-fcn-demo-seed-0/model.safetensors").is_file()


def test_evaluate_says_which_channel_each_transformer_settled_on(call: Call, sums: Path) -> None:
    score = json.loads(call("evaluate", sums, "--json").output)
    assert score["error"] == pytest.approx(json.loads((sums / "result.json").read_text())["value"], abs=1e-4)
    assert len(score["confusion"]) == 19
    assert score["count"] == 1000
    assert [len(shares) for shares in score["straight_after"]] == [2, 2]
    assert all(0 < share < 0.2 for share in score["straight_before"])
    text = call("evaluate", sums).output
    assert "Variance explained by which digit it is" in text
    assert "channel 2" in text
    assert "output 2" in text


def test_show_draws_pairs_and_the_means_of_each_channel(call: Call, sums: Path, tmp_path: Path) -> None:
    done = call("show", sums, "--count", 4, "--out", tmp_path)
    assert done.exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{name}.png" for name in ("boxes", "curves", "means", "pairs")
    ]
    with Image.open(tmp_path / "pairs.png") as pairs, Image.open(tmp_path / "means.png") as means:
        assert pairs.width > 2 * pairs.height
        assert means.width > means.height


def test_predict_reads_pictures_two_by_two(call: Call, sums: Path, tmp_path: Path) -> None:
    names = [tmp_path / f"{k}.png" for k in range(4)]
    for k, name in enumerate(names):
        Image.effect_noise((42, 42), 20 + 10 * k).save(name)
    rows = json.loads(call("predict", sums, *names, "--json").output)
    assert [row["images"] for row in rows] == [[str(a), str(b)] for a, b in (names[:2], names[2:])]
    assert all(0 <= row["sum"] <= 18 and len(row["probabilities"]) == 19 for row in rows)
    # The channels are not one another's: swapped, other numbers come out.
    swapped = json.loads(call("predict", sums, names[1], names[0], "--json").output)
    assert swapped[0]["probabilities"] != rows[0]["probabilities"]
    odd = call("predict", sums, *names[:3])
    assert odd.exit_code == 2
    assert "mnist-addition reads 2 pictures at a time, got 3" in odd.output


def test_predict_goes_on_past_a_pair_with_a_broken_file(call: Call, sums: Path, tmp_path: Path) -> None:
    Image.effect_noise((42, 42), 60).save(tmp_path / "good.png")
    (tmp_path / "broken.png").write_bytes(b"nothing")
    good, broken = tmp_path / "good.png", tmp_path / "broken.png"
    done = call("predict", sums, good, broken, good, good, "--out", tmp_path / "seen.png")
    assert done.exit_code == 1
    assert f"Error: {broken}: not a picture" in done.output
    assert f"{good} + {good}" in done.output
    assert (tmp_path / "seen.png").is_file()


def test_a_run_is_not_resumed_as_another_recipe(call: Call, sums: Path) -> None:
    done = call("train", "distorted-mnist", "--preset", "demo", "--out", sums, "--resume")
    assert done.exit_code == 2
    assert "recipe was 'mnist-addition', now 'distorted-mnist'" in done.output


def test_a_run_of_an_unknown_recipe_is_told(call: Call, sums: Path, tmp_path: Path) -> None:
    text = (sums / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(text.replace("mnist-addition", "mnist-division"))
    done = call("evaluate", tmp_path)
    assert done.exit_code == 2
    assert "a run of 'mnist-division'; known here are distorted-mnist, mnist-addition" in done.output
