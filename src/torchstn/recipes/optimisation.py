"""A config's optimiser, schedule and settings of the loop."""

from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from .. import SpatialTransformer, parameter_groups
from ..training import Settings, constant, stairs, warm_cosine
from ..training.schedule import Schedule
from .training_config import TrainingConfig


def make_optimiser(model: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """The optimiser over a model's parameters, those of its transformers at their own rate."""
    groups = parameter_groups(model, config.learning_rate, localisation_scale=config.localisation_rate)
    if config.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)
    if config.optimiser == "muon":
        return _muon(model, groups, config.weight_decay)
    return torch.optim.SGD(
        groups, lr=config.learning_rate, momentum=config.momentum, weight_decay=config.weight_decay
    )


def _muon(model: nn.Module, groups: list[dict[str, Any]], weight_decay: float) -> torch.optim.Optimizer:
    """Muon for the weights of layers, a convolution's as a matrix of its filters, and AdamW for all else.

    All else is biases, normalisation, and what theta comes from: its numbers are no hidden features, and an
    orthogonal step would move all of them alike. The rate of both is AdamW's (Liu et al. 2025, "Muon is
    scalable for LLM training", section 2.2: 0.2 times the root of the longer side).
    """
    from .muon import QuickMuon

    transformers = [module for module in model.modules() if isinstance(module, SpatialTransformer)]
    heads = {id(p) for st in transformers for part in (st.head, st.transform) for p in part.parameters()}
    split = []
    for group in groups:
        weights = [p for p in group["params"] if p.ndim > 1 and id(p) not in heads]
        taken = {id(p) for p in weights}
        rest = [p for p in group["params"] if id(p) not in taken]
        common = {"lr": group["lr"], "weight_decay": weight_decay}
        split += [
            {"params": weights, "use_muon": True, "use_adjusted_lr": True, **common},
            {"params": rest, "use_muon": False, "betas": (0.9, 0.999), "eps": 1e-8, **common},
        ]
    return QuickMuon([group for group in split if group["params"]])


def make_schedule(config: TrainingConfig) -> Schedule:
    """The factor on the learning rates by step."""
    if config.schedule == "stairs":
        return stairs(config.stair)
    return warm_cosine(config.iterations, config.warm_up) if config.iterations > 1 else constant()


def make_settings(config: TrainingConfig, accelerator: Accelerator) -> Settings:
    """How long and how carefully to train."""
    return Settings(
        steps=config.iterations,
        seed=config.seed,
        clip_norm=config.clip_norm,
        average_decay=config.average_decay,
        patience=config.patience,
        checkpoint_seconds=config.checkpoint_seconds,
        ahead=accelerator.device.type != "cpu",
    )
