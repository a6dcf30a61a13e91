"""A state goes to a file and back to the bit; damaged and foreign files are refused, not executed."""

import json
import pickle
from pathlib import Path

import pytest
import torch
from pytorch_optimizer import Muon
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from torchstn.training import Checkpoint, WeightAverage
from torchstn.training.checkpoint import (
    join_optimiser,
    load_weights,
    read_checkpoint,
    save_weights,
    split_optimiser,
    write_checkpoint,
)
from torchstn.training.state import restore, snapshot


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3 * 36, 4))


def optimiser_for(model: nn.Module, kind: str) -> torch.optim.Optimizer:
    layers = [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[3].parameters()}]
    if kind == "muon":
        weights = [parameter for parameter in model.parameters() if parameter.ndim > 1]
        rest = [parameter for parameter in model.parameters() if parameter.ndim == 1]
        return Muon([{"params": weights, "use_muon": True}, {"params": rest, "use_muon": False}])
    if kind == "sgd":
        return torch.optim.SGD(layers, lr=0.3, momentum=0.9)
    return torch.optim.AdamW(layers, lr=0.01, betas=(0.8, 0.99), amsgrad=True)


def trained(kind: str) -> tuple[nn.Module, torch.optim.Optimizer, WeightAverage]:
    model = network()
    optimiser, average = optimiser_for(model, kind), WeightAverage(model, 0.9)
    for step in range(3):
        model(torch.rand(5, 1, 8, 8)).square().sum().backward()
        optimiser.step()
        optimiser.zero_grad()
        average.update(model, step + 1)
    return model, optimiser, average


@pytest.mark.parametrize("kind", ["sgd", "adamw", "muon"])
def test_a_state_comes_back_to_the_bit(kind: str, tmp_path: Path) -> None:
    model, optimiser, average = trained(kind)
    scalars = {"third": 1 / 3, "tiny": 5e-324}
    write_checkpoint(tmp_path / "state", snapshot(7, model, optimiser, average, scalars))
    read = read_checkpoint(tmp_path / "state")
    assert read.step == 7
    assert {name: read.scalars[name] for name in scalars} == scalars

    other = network()
    others_optimiser, others_average = optimiser_for(other, kind), WeightAverage(other, 0.9)
    restore(read, other, others_optimiser, others_average)
    for mine, theirs in ((model, other), (average.model, others_average.model)):
        for name, value in mine.state_dict().items():
            assert torch.equal(value, theirs.state_dict()[name]), name
    before, after = optimiser.state_dict(), others_optimiser.state_dict()
    assert json.dumps(before["param_groups"]) == json.dumps(after["param_groups"])
    assert before["state"].keys() == after["state"].keys()
    for index, values in before["state"].items():
        assert values.keys() == after["state"][index].keys()
        for name, value in values.items():
            assert torch.equal(value, after["state"][index][name]), name


def test_what_an_optimiser_keeps_beside_tensors_comes_back(tmp_path: Path) -> None:
    mean = torch.rand(2)
    groups = [{"lr": 0.1, "betas": (0.9, (1, 2)), "params": [0, 1, 2]}]
    state = {"state": {0: {"step": 3, "mean": mean}, 2: {"step": 5, "older": None}}, "param_groups": groups}
    tensors, scalars = split_optimiser(state)
    write_checkpoint(tmp_path / "state", Checkpoint(1, {"optimiser": tensors}, {"optimiser": scalars}))
    read = read_checkpoint(tmp_path / "state")
    back = join_optimiser(read.tensors["optimiser"], read.scalars["optimiser"])
    assert torch.equal(back["state"][0].pop("mean"), mean)
    assert back == {"state": {0: {"step": 3}, 2: {"step": 5, "older": None}}, "param_groups": groups}


def test_what_two_modules_share_is_written_once_and_comes_back_under_both_names(tmp_path: Path) -> None:
    shared = nn.Linear(40, 50)
    state = nn.ModuleList([shared, nn.Sequential(shared, nn.Linear(40, 50))]).state_dict()
    save_weights(tmp_path / "weights", state)
    write_checkpoint(tmp_path / "state", Checkpoint(7, {"model": state, "average": state}))
    for read in (load_weights(tmp_path / "weights"), *read_checkpoint(tmp_path / "state").tensors.values()):
        assert {name: value.tolist() for name, value in read.items()} == {
            name: value.tolist() for name, value in state.items()
        }
    one = 4 * sum(parameter.numel() for parameter in shared.parameters())
    for name in ("weights", "state"):
        assert 2 * one < (tmp_path / name).stat().st_size < 3 * one


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_a_cut_off_file_is_refused_by_name(kept: int, tmp_path: Path) -> None:
    path = tmp_path / "step-7"
    write_checkpoint(path, Checkpoint(7, {"model": {"weight": torch.rand(50)}}))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"step-7` cannot be read as a checkpoint .* remove it"):
        read_checkpoint(path)
    with pytest.raises(ValueError, match="step-7` cannot be read as safetensors weights"):
        load_weights(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing` cannot be read as a checkpoint"):
        read_checkpoint(tmp_path / "nothing")


class Trap:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    (tmp_path / "pickle").write_bytes(pickle.dumps(Trap(sprung)))
    torch.save({"model": Trap(sprung)}, tmp_path / "torch")
    for name in ("pickle", "torch"):
        with pytest.raises(ValueError, match="cannot be read"):
            read_checkpoint(tmp_path / name)
        with pytest.raises(ValueError, match="cannot be read"):
            load_weights(tmp_path / name)
    assert not sprung.exists()
    pickle.loads((tmp_path / "pickle").read_bytes())
    assert sprung.exists()


def test_a_file_of_weights_is_no_checkpoint(tmp_path: Path) -> None:
    save_file({"weight": torch.rand(2)}, tmp_path / "weights")
    with pytest.raises(ValueError, match="is no checkpoint of a torchstn training"):
        read_checkpoint(tmp_path / "weights")


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"step": "seven", "scalars": "{}"},
        {"step": "7", "scalars": "{"},
        {"step": "7", "scalars": "[]"},
        {"step": "7"},
    ],
)
def test_a_header_that_makes_no_sense_is_refused(metadata: dict[str, str], tmp_path: Path) -> None:
    header = {"format": "torchstn-checkpoint-1"} | metadata
    save_file({"model/weight": torch.rand(2)}, tmp_path / "state", header)
    with pytest.raises(ValueError, match="state` cannot be read as a checkpoint"):
        read_checkpoint(tmp_path / "state")


@pytest.mark.parametrize("change", ["model/0.weight", "model/3.bias", "average/0.weight"])
@pytest.mark.parametrize("how", ["missing", "misshapen", "extra"])
def test_a_state_of_another_model_is_refused(change: str, how: str) -> None:
    model, optimiser, average = trained("sgd")
    state = snapshot(3, model, optimiser, average, {})
    group, _, name = change.partition("/")
    tensors = {key: dict(values) for key, values in state.tensors.items()}
    if how == "missing":
        del tensors[group][name]
    else:
        tensors[group][f"{name}.more" if how == "extra" else name] = torch.zeros(2, 2)
    with pytest.raises(ValueError, match=f"checkpoint's `{group}` weights are of another model"):
        restore(Checkpoint(3, tensors, state.scalars), model, optimiser, average)


def test_a_state_of_another_optimiser_is_refused() -> None:
    model, optimiser, average = trained("sgd")
    state = snapshot(3, model, optimiser, average, {})
    other = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="checkpoint's optimiser is of another"):
        restore(state, model, other, average)


def test_what_json_cannot_hold_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_checkpoint(tmp_path / "state", Checkpoint(1, {}, {"model": nn.Linear(1, 1)}))
    assert not list(tmp_path.iterdir())


def test_weights_are_plain_safetensors_for_anyone(tmp_path: Path) -> None:
    weights = {"a": torch.rand(3, 4).T, "b": torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last)}
    save_weights(tmp_path / "weights", weights)
    with safe_open(tmp_path / "weights", framework="pt") as file:
        assert file.metadata() == {"format": "pt"}
        assert all(torch.equal(file.get_tensor(name), value) for name, value in weights.items())
    read = load_weights(tmp_path / "weights")
    assert read.keys() == weights.keys()
    assert all(torch.equal(read[name], value) for name, value in weights.items())


@pytest.mark.parametrize("name", ["weight"[:length] for length in range(1, 7)] + ["weights", "öffnung"])
def test_the_tensors_begin_at_a_multiple_of_eight_bytes(name: str, tmp_path: Path) -> None:
    """As those of the safetensors library do, so that a reader may map them into memory."""
    save_weights(tmp_path / "weights", {name: torch.rand(2)})
    assert int.from_bytes((tmp_path / "weights").read_bytes()[:8], "little") % 8 == 0
    assert list(load_weights(tmp_path / "weights")) == [name]


def test_the_same_weights_make_the_same_file(tmp_path: Path) -> None:
    shared = torch.rand(2, 3)
    files = []
    for number in range(8):
        save_weights(tmp_path / str(number), {"first": shared, "ünd": torch.ones(1), "second": shared})
        files.append((tmp_path / str(number)).read_bytes())
    assert len(set(files)) == 1
    loaded = load_weights(tmp_path / "0")
    assert torch.equal(loaded["second"], shared)
    assert torch.equal(loaded["ünd"], torch.ones(1))
