"""Watches the transformers of a model while it trains, and says what to do when one leaves the image."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn

from .grid import Grid
from .spatial_transformer import SpatialTransformer


class TransformerWarning(UserWarning):
    """A spatial transformer is in trouble.

    Attributes:
        trouble: "not finite" (its parameters), "dead" (it does the same to every image) or "outside" (of the
            image).
    """

    def __init__(self, message: str, trouble: str = "") -> None:
        super().__init__(message)
        self.trouble = trouble


@dataclass(frozen=True)
class Observation:
    """What one transformer did in the last forward pass, and what its gradient was in the last backward pass.

    Attributes:
        coverage: Share of the output points that read inside the image, mean over the batch.
        scale: Side of the region that is read over the side of the image: the d-th root of the absolute
            Jacobian determinant, its median over an image's points averaged over the images; below 1 zooms
            in. (A mean over points says nothing of a projective map: near its horizon areas have no bound.)
        non_finite: Share of samples whose parameters are not finite.
        active: Share of the localisation network's features that are not the same for every image of the
            batch. Where it is 0 every theta is the same, and no gradient will change that: the units have
            died. None for a batch of one.
        gradient_share: Norm of the gradient of the transformer's parameters over that of the whole model;
            None before a backward pass, NaN where a gradient is.
    """

    coverage: float
    scale: float
    non_finite: float
    active: float | None
    gradient_share: float | None


class Monitor:
    """Watches every SpatialTransformer of a model by hooks on its parts; the model itself stores nothing.

    Copies of the model, and what is saved of it, are not watched.

    Use as a context manager, or call `close`. Call `report` once in a while, after `backward`; a pass that is
    not reported costs nothing but keeping its features and its grid, detached, until the next.

    Args:
        model: The model; its transformers are named as in `named_modules`.
        min_coverage: Warn below this share of points inside the image.

    Raises:
        ValueError: If the model holds no SpatialTransformer.
    """

    def __init__(self, model: nn.Module, *, min_coverage: float = 0.5) -> None:
        found = {name: m for name, m in model.named_modules() if isinstance(m, SpatialTransformer)}
        if not found:
            raise ValueError(
                f"`model` must hold a SpatialTransformer to watch, got {type(model).__name__} without one."
            )
        self.model = model
        self.min_coverage = min_coverage
        self._transformers: Mapping[str, SpatialTransformer] = found
        self._grids: dict[str, Grid] = {}
        self._features: dict[str, Tensor] = {}
        self._running: str | None = None
        self._hooks = [
            m.head.register_forward_hook(_Hook(partial(self._announce, name))) for name, m in found.items()
        ]
        # Transformers may share a transform, but each has a head of its own, which runs right before it.
        transforms = {id(m.transform): m.transform for m in found.values()}
        self._hooks += [m.register_forward_hook(_Hook(self._remember)) for m in transforms.values()]

    def report(self) -> dict[str, Observation]:
        """Observations of the last pass by transformer, warning where one is in trouble.

        Warns:
            TransformerWarning: With the remedy, where coverage is below `min_coverage`, parameters are not
                finite, or no feature of the localisation network is active.
        """
        whole = _gradient_norm(self.model)
        report = {}
        for name, grid in self._grids.items():
            own = _gradient_norm(self._transformers[name]) or 0.0
            share = None if whole is None else 0.0 if whole == 0 else own / whole
            report[name] = observation = _observe(grid, self._features[name], share)
            trouble = self._trouble(observation)
            if trouble is not None:
                text = _REMEDIES[trouble].format(seen=observation)
                warnings.warn(TransformerWarning(f"{name or 'model'}: {text}", trouble), stacklevel=2)
        return report

    def close(self) -> None:
        """Takes the hooks off."""
        for hook in self._hooks:
            hook.remove()
        self._grids.clear()
        self._features.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _announce(self, name: str, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
        self._running = name
        self._features[name] = inputs[0].detach()

    def _remember(self, _inputs: Any, grid: Grid) -> None:
        if self._running is not None:
            self._grids[self._running] = grid.detach()

    def _trouble(self, seen: Observation) -> str | None:
        if seen.non_finite > 0:
            return "not finite"
        if seen.active == 0:
            return "dead"
        return "outside" if seen.coverage < self.min_coverage else None


class _Hook:
    """Passes on what a module was given and returned; copied or pickled with the module, nothing."""

    def __init__(self, hear: Callable[[Any, Any], None] | None = None) -> None:
        self.hear = hear

    def __call__(self, _module: nn.Module, inputs: Any, output: Any) -> None:
        if self.hear is not None:
            self.hear(inputs, output)

    def __reduce__(self) -> tuple[type["_Hook"], tuple[()]]:
        return _Hook, ()


_REMEDIES = {
    "not finite": (
        "{seen.non_finite:.0%} of the samples have parameters that are not finite and read outside the "
        "image. Lower the learning rate, clip the gradient, and look for infinities in the input."
    ),
    "dead": (
        "its localisation network says the same of every image, and no gradient will change that: its units "
        "have died. Start anew with units that cannot (localisation.Convolutional(..., leak=0.1)) or a lower "
        "localisation learning rate (parameter_groups(model, lr, localisation_scale=0.1))."
    ),
    "outside": (
        "only {seen.coverage:.0%} of the points read inside the image (scale {seen.scale:.2g}); the rest "
        "have no gradient. Lower the localisation learning rate (parameter_groups(model, lr, "
        "localisation_scale=0.1)), bound the transform (max_shift=, max_linear=), or use padding='border'."
    ),
}


def _observe(grid: Grid, features: Tensor, share: float | None) -> Observation:
    with torch.no_grad():
        active = None
        if len(features) > 1:
            active = (features.amax(0) != features.amin(0)).float().mean().item()
        readable = torch.ones(grid.batch, dtype=torch.bool, device=grid.device)
        if grid.theta is not None:
            readable = grid.theta.isfinite().all(1).expand(grid.batch)
        area = grid.jacobian_determinant().abs().flatten(1).median(1).values[readable]
        scale = area.mean().item() ** (1 / grid.dims) if area.numel() else float("nan")
        return Observation(
            coverage=grid.coverage().mean().item(),
            scale=scale,
            non_finite=(~readable).sum().item() / max(grid.batch, 1),
            active=active,
            gradient_share=share,
        )


def _gradient_norm(module: nn.Module) -> float | None:
    gradients: list[Tensor] = [p.grad for p in module.parameters() if p.grad is not None]
    if not gradients:
        return None
    # In float16 the norm itself may overflow.
    wide = [gradient.to(torch.promote_types(gradient.dtype, torch.float32)) for gradient in gradients]
    return torch.stack([gradient.norm().float() for gradient in wide]).norm().item()
