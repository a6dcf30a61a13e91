"""Two processes train the same model as one: same batches, same parameters."""

import os
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from support.tiny_training import PER_EPOCH, build_model, train

from torchstn.training import Run

SCRIPT = Path(__file__).parents[1] / "support" / "tiny_training.py"
STEPS = PER_EPOCH + 2


def test_two_processes_train_the_same_model_as_one(tmp_path: Path) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    train(alone, steps=STEPS, dropout=0.0)
    out = tmp_path / "together.safetensors"
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node",
        "2",
        str(SCRIPT),
        str(together),
        str(out),
        str(STEPS),
        "0",
        "0.0",
    ]
    environment = os.environ | {"ACCELERATE_USE_CPU": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr

    checkpoint = Run(alone).latest_checkpoint()
    assert checkpoint is not None
    expected, found = checkpoint.tensors["average"], load_file(out)
    start = build_model(0.0).state_dict()
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-5, rtol=0)
        # The two agree on a model that has moved, further than the tolerance could hide.
        assert (value - start[name]).abs().max() > 1e-3
    one, two = Run(alone).metrics.read(), Run(together).metrics.read()
    assert [r["step"] for r in one] == [r["step"] for r in two] == [PER_EPOCH, STEPS]
    for first, second in zip(one, two, strict=True):
        for name in ("loss", "error", "held_out_loss", "seen/input", "seen/gradient"):
            assert abs(first[name] - second[name]) < 1e-5
