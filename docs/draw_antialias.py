"""Draws docs/images/antialias.png: rings that grow finer, reduced with and without a pyramid.

Run from the repository: .venv/bin/python docs/draw_antialias.py
"""

import math
from pathlib import Path

import torch
from matplotlib.figure import Figure
from PIL import Image

import torchstn as stn

TARGET = Path(__file__).parent / "images" / "antialias.png"
SIDE, SMALL = 512, 128


def rings() -> torch.Tensor:
    """A zone plate (1, 1, SIDE, SIDE) whose rings near the corners are two pixels wide."""
    axis = torch.linspace(-1, 1, SIDE)
    squared = axis[:, None] ** 2 + axis**2
    return (0.5 + 0.5 * torch.cos(torch.pi * SIDE / 8 * squared))[None, None]


def draw() -> Figure:
    """The image, and it turned slightly and reduced to a quarter of its side."""
    image = rings()
    cos, sin = math.cos(0.2), math.sin(0.2)
    theta = torch.tensor([[cos, -sin, 0.0, sin, cos, 0.0]])
    grid = stn.transform.Affine()(theta, (SMALL, SMALL))
    panels = {
        f"{SIDE} x {SIDE}": image,
        f"to {SMALL} x {SMALL}: sample(image, grid)": stn.sample(image, grid, padding="border"),
        "sample(image, grid, antialias=2)": stn.sample(image, grid, padding="border", antialias=2),
    }
    figure = Figure(figsize=(9.6, 3.5), layout="constrained")
    for axes, (title, values) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        axes.imshow(values[0, 0], cmap="gray", vmin=0, vmax=1)
        axes.set_title(title, fontsize=9)
        axes.axis("off")
    return figure


if __name__ == "__main__":
    draw().savefig(TARGET, dpi=110)
    Image.open(TARGET).convert("L").save(TARGET, optimize=True)
