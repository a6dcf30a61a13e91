"""What a backbone is: pictures -> maps, with its layers by name."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Normalise(nn.Module):
    """Pictures (b, c, h, w) in [0, 1] to what a backbone was trained on: less the mean, by the deviation.

    Warp after it, not before: the zeros a sampler reads outside a picture are then the mean colour.

    Args:
        mean: Of each channel.
        std: The standard deviation of each.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(values).view(-1, 1, 1), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        return (pictures - self.get_buffer("mean")) / self.get_buffer("std")


class NamedBackbone(nn.Module):
    """Normalised pictures (b, 3, h, w) to maps (b, channels, rows, columns); `shape` tells their size.

    Attributes:
        name: As `build_backbone` takes it.
        network: What computes the maps.
        layers: The names of the layers worth putting a transformer at, in order. Any other module of
            `network` whose output is maps can be named, too.
        channels: Of the maps.
        normalise: Makes normalised pictures of those in [0, 1].

    Args:
        inside: The module of `network` whose modules the layers are; default, `network` itself.
        mean: Of the pictures it was trained on, by channel.
        std: Their standard deviation.
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        layers: Sequence[str],
        *,
        channels: int,
        mean: Sequence[float],
        std: Sequence[float],
        inside: str = "",
    ) -> None:
        super().__init__()
        self.name, self.layers, self._inside = name, tuple(layers), inside
        self.channels = channels
        self.normalise = Normalise(mean, std)
        # Three times as fast as the usual layout where windows see one channel each, on a CPU.
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's own

    def forward(self, pictures: Tensor) -> Tensor:
        maps: Tensor = self.network(pictures.contiguous(memory_format=torch.channels_last))
        return maps

    def shape(self, size: tuple[int, int]) -> tuple[int, int, int]:
        """The shape (c, h, w) of the maps it makes.

        Args:
            size: (h, w) of the pictures.

        Raises:
            ValueError: If they are too small for it.
        """
        return self._shape_of(self.network, "", size)

    def shape_at(self, layer: str, size: tuple[int, int]) -> tuple[int, int, int]:
        """The shape (c, h, w) of a layer's maps.

        Args:
            layer: Its name.
            size: (h, w) of the pictures.

        Raises:
            ValueError: If there is no such layer, its output is not maps, or the pictures are too small.
        """
        return self._shape_of(self._layer(layer), layer, size)

    def _shape_of(self, module: nn.Module, layer: str, size: tuple[int, int]) -> tuple[int, int, int]:
        seen: list[Any] = []
        handle = module.register_forward_hook(lambda module, arguments, output: seen.append(output))
        training = self.training
        weight = next(self.network.parameters())
        try:
            self.eval()
            with torch.no_grad():
                self(torch.zeros(1, 3, *size, dtype=weight.dtype, device=weight.device))
        except RuntimeError as error:
            raise ValueError(f"{self.name} cannot read pictures of {size[0]} x {size[1]}: {error}") from error
        finally:
            handle.remove()
            self.train(training)
        if len(seen) != 1 or not isinstance(seen[0], Tensor) or seen[0].ndim != 4:
            raise ValueError(f"The layer {layer!r} of {self.name} does not give maps; {self._choice}.")
        channels, height, width = seen[0].shape[1:]
        return channels, height, width

    def insert(self, layer: str, module: nn.Module) -> None:
        """Puts a module, such as a spatial transformer, behind a layer: it gets and gives that layer's maps.

        Raises:
            ValueError: If there is no such layer.
        """
        before = self._layer(layer)
        parent, _, last = layer.rpartition(".")
        setattr(self._root.get_submodule(parent), last, Behind(before, module))

    @property
    def _root(self) -> nn.Module:
        return self.network.get_submodule(self._inside)

    def _layer(self, name: str) -> nn.Module:
        try:
            if name:
                return self._root.get_submodule(name)
        except AttributeError:
            pass
        raise ValueError(f"There is no layer {name!r} in {self.name}; {self._choice}.")

    @property
    def _choice(self) -> str:
        return f"some that there are: {', '.join(self.layers)}"


class Behind(nn.Module):
    """A layer and what was put behind it.

    Args:
        layer: Called as it always was, with whatever arguments.
        module: Called with what the layer makes.
    """

    def __init__(self, layer: nn.Module, module: nn.Module) -> None:
        super().__init__()
        self.layer, self.module = layer, module

    def forward(self, *arguments: Any, **named: Any) -> Any:
        return self.module(self.layer(*arguments, **named))
