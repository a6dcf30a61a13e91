"""Spatial transformers in many processes and threads."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from support.closeness import assert_close
from support.transformers import family, transformer
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, Dataset

import torchstn as stn

WORLD = 2
STEPS = 3


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(transformer("thin_plate"), nn.Flatten(), nn.Linear(72, 3)).double()


def batch(step: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(step)
    return torch.rand(4, 1, 8, 9, generator=generator, dtype=torch.float64), torch.arange(4) % 3


def train(model: nn.Module, part: int, parts: int) -> dict[str, Tensor]:
    """The parameters after a few steps, and the gradients of the first."""
    optimiser = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    record: dict[str, Tensor] = {}
    for step in range(STEPS):
        x, label = batch(step)
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x[part::parts]), label[part::parts]).backward()
        if step == 0:
            record |= {f"gradient of {name}": p.grad.clone() for name, p in _named(model)}
        optimiser.step()
    return record | {name: parameter.detach() for name, parameter in _named(model)}


def _named(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return [(name.removeprefix("module."), parameter) for name, parameter in model.named_parameters()]


def _process(rank: int, port: int, folder: str) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=WORLD)
    torch.save(train(DistributedDataParallel(network()), rank, WORLD), Path(folder) / f"{rank}.pt")
    dist.destroy_process_group()


def test_two_processes_train_as_one(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mp.spawn(_process, (port, str(tmp_path)), nprocs=WORLD)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(WORLD))
    alone = train(network(), 0, 1)
    assert first.keys() == second.keys() == alone.keys()
    for name, expected in alone.items():
        assert torch.equal(first[name], second[name]), name
        assert expected.abs().max() > 0, name
        assert_close(first[name], expected, tolerance=1e-12, what=name)  # worst seen 1e-15


class Warped(Dataset[Tensor]):
    """Pictures warped where they are loaded."""

    def __init__(self) -> None:
        self.transform = family("thin_plate")
        self.images = torch.rand(6, 1, 8, 9)
        self.theta = torch.randn(6, self.transform.n_parameters) * 0.1

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        grid = self.transform(self.theta[index : index + 1], (8, 9))
        return stn.sample(self.images[index : index + 1], grid)[0]


def test_data_is_warped_in_forked_workers() -> None:
    data = Warped()
    expected = stn.sample(data.images, data.transform(data.theta, (8, 9)))
    loader = DataLoader(data, batch_size=2, num_workers=2, multiprocessing_context="fork")
    found = torch.cat(list(loader))
    assert_close(found, expected, tolerance=1e-6)


def test_a_module_is_sent_to_another_process() -> None:
    module, x = transformer("thin_plate"), torch.rand(2, 1, 8, 9)
    expected = module(x).detach()
    with mp.get_context("fork").Pool(1) as pool:
        assert torch.equal(pool.apply(_run, (module, x)), expected)


def _run(module: nn.Module, x: Tensor) -> Any:
    with torch.no_grad():
        return module(x)


def test_many_threads_sample_at_once() -> None:
    # Sizes that no other test uses: the threads race to compute and to drop the constants of the spline.
    module = stn.transform.ThinPlate(4)
    theta = torch.randn(2, module.n_parameters) * 0.1
    sizes = [(50 + number % 9, 61) for number in range(90)]
    images = [torch.rand(2, 1, *size) for size in sizes[:9]]

    def work(number: int) -> Tensor:
        grid = module(theta.requires_grad_(False), sizes[number])
        return stn.sample(images[number % 9], grid, kernel="bspline3")

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(90)))
    for number in range(90):
        assert torch.equal(found[number], work(number)), number


def test_threads_train_their_own_copies() -> None:
    def gradient(seed: int) -> list[Tensor]:
        x, _ = batch(seed)
        model = models[seed]
        return list(torch.autograd.grad(model(x).square().sum(), list(model.parameters())))

    models = [network() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(gradient, range(4)))
    for seed in range(4):
        for one, wanted in zip(found[seed], gradient(seed), strict=True):
            assert torch.equal(one, wanted)
