"""A config's optimiser, schedule and settings of the loop."""

import torch
from accelerate import Accelerator
from torch import nn

from .. import parameter_groups
from ..training import Settings, constant, stairs, warm_cosine
from ..training.schedule import Schedule
from .training_config import TrainingConfig


def make_optimiser(model: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """The optimiser over a model's parameters, those of its transformers at their own rate."""
    groups = parameter_groups(model, config.learning_rate, localisation_scale=config.localisation_rate)
    if config.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)
    return torch.optim.SGD(
        groups, lr=config.learning_rate, momentum=config.momentum, weight_decay=config.weight_decay
    )


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
