"""House numbers to batches of crops and the digits on them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ...data import Draws, get_data_dir
from ...data.svhn import Crops, find_part, load_crops
from ..preparing import Preparing
from ..samples import Batch, Samples
from ..shuffled import Shuffled, held_out_of
from .augmentation import Augmentation, middle, normalised, stored_side
from .config import NO_EXTRA, Config

CLASSES = (*"0123456789", "none")
_LARGER = {"64": 1.3, "128": 2.6}
"""Than the box around the digits. A crop of 128 pixels shows them as large as one of 64, amid more else."""
_AT_A_TIME = 250


@dataclass(frozen=True, eq=False)
class Chosen:
    """Some of the crops of one folder or zip.

    Attributes:
        crops: All of them.
        places: Which, int64 (n,).
    """

    crops: Crops
    places: Tensor

    def __len__(self) -> int:
        return len(self.places)

    @property
    def labels(self) -> Tensor:
        """(n, 5)."""
        return self.crops.labels[self.places]

    def images(self, places: Tensor) -> Tensor:
        """uint8 (b, 3, S, S) of some of those chosen."""
        return torch.from_numpy(self.crops.images[self.places[places].numpy()])


class TrainingCrops(Shuffled):
    """Crops in another order in every epoch, and changed anew; each a function of (seed, epoch, index)."""

    def __init__(self, config: Config, sources: tuple[Chosen, ...]) -> None:
        super().__init__(sum(map(len, sources)), config.batch, config.seed)
        self._side, self._sources = config.side, sources
        self._labels = torch.cat([source.labels for source in sources])
        self._augmentation = Augmentation(config.shift, config.stretch, config.turn, config.negatives)

    def samples(self, places: Tensor, epoch: int) -> tuple[Tensor, Tensor]:
        stored = torch.empty(len(places), 3, *[stored_side(self._side)] * 2, dtype=torch.uint8)
        first = 0
        for source in self._sources:
            mine = (places >= first) & (places < first + len(source))
            stored[mine] = source.images(places[mine] - first)
            first += len(source)
        draws = Draws(self.seed, epoch, places.numpy())
        return self._augmentation(stored, self._side, draws), self._labels[places]


@dataclass(frozen=True, eq=False)
class HouseNumbers(Samples):
    """Crops (b, 3, side, side) and their five digits (b, 5), 10 where there is none.

    Attributes:
        config: What they are for.
        learnt: To train on.
        held: To be judged by.
        origin: The data set, by name and checksum.
    """

    config: Config
    learnt: tuple[Chosen, ...]
    held: Chosen
    origin: str = ""
    classes: tuple[str, ...] = CLASSES

    def training(self) -> TrainingCrops:
        return TrainingCrops(self.config, self.learnt)

    def held_out(self, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        labels = self.held.labels
        for places in torch.arange(part, len(self.held), parts).split(_AT_A_TIME):
            yield self.inputs(places), labels[places]

    def inputs(self, places: Tensor) -> Tensor:
        """What a network gets of some of those to be judged by, (b, 3, side, side)."""
        return normalised(middle(self.held.images(places), self.config.side))

    def pictures(self, places: Tensor) -> Tensor:
        """The same as they look, in [0, 1]."""
        return middle(self.held.images(places), self.config.side).float() / 255

    def __len__(self) -> int:
        return len(self.held)


def load(config: Config) -> HouseNumbers:
    """The crops of a config's photographs, cut out now unless that has been done before.

    Raises:
        ValueError: If photographs are missing or damaged, or nothing would be left to train on.
    """
    folder = get_data_dir() if config.data_dir is None else Path(config.data_dir)
    train = _crops(config, folder, "train")
    held = held_out_of(len(train), config.validation)
    used, learnt = [("train", train)], [Chosen(train, (~held).nonzero()[:, 0])]
    if config.extra != NO_EXTRA:
        extra = _crops(config, folder, config.extra)
        used.append((config.extra, extra))
        learnt.append(Chosen(extra, (extra.numbers > config.extra_after).nonzero()[:, 0]))
    if config.validation:
        return HouseNumbers(config, tuple(learnt), Chosen(train, held.nonzero()[:, 0]), _origin(used))
    test = _crops(config, folder, "test")
    used.append(("test", test))
    return HouseNumbers(config, tuple(learnt), Chosen(test, torch.arange(len(test))), _origin(used))


def _crops(config: Config, folder: Path, part: str) -> Crops:
    enlarge = _LARGER[config.pixels] * stored_side(config.side) / config.side
    path, side = find_part(folder, part), stored_side(config.side)
    with Preparing() as progress:
        return load_crops(path, side=side, enlarge=enlarge, progress=progress)


def _origin(used: list[tuple[str, Crops]]) -> str:
    digest = hashlib.sha256("".join(crops.sha256 for _, crops in used).encode()).hexdigest()
    return f"svhn ({', '.join(f'{len(crops)} {part}' for part, crops in used)}), sha256 {digest}"
