"""A folder of pictures as samples: read, split by class, batched."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from ...data import Draws
from ...data.loading import Canvases, Progress
from ...data.picture_folder import Labelled, find_labelled
from ..samples import Batch, Samples
from ..shuffled import Shuffled
from .augment import augment
from .config import Config

FILL = (124, 116, 104)
"""The mean colour of photographs, which a backbone trained on them reads as nothing at all."""
_JUDGED = 64

Told = Callable[[str], None]


class Pictures(Samples):
    """The pictures of a folder.

    Attributes:
        canvases: All that can be read.
        labels: Their classes, (n,).
        learnt: The places of those to train on,
        held: and of those to be judged by.
        skipped: What is wrong with each file that is left out, by its name.
    """

    def __init__(
        self, config: Config, canvases: Canvases, labels: Sequence[str], skipped: dict[str, str]
    ) -> None:
        self.config, self.canvases, self.skipped = config, canvases, skipped
        self.classes = tuple(sorted(set(labels)))
        self.labels = torch.tensor([self.classes.index(label) for label in labels])
        self.learnt, self.held = split(canvases.files, labels, config.validation)
        listed = "\n".join(f"{file}\t{label}" for file, label in zip(canvases.files, labels, strict=True))
        self.origin = f"{len(labels)} images, sha256 of their names {_digest(listed).hex()}"

    @classmethod
    def load(cls, config: Config, told: Told | None = None, progress: Progress | None = None) -> Self:
        """Of the folder that the config names; every file is read once, so that nothing fails later.

        Args:
            config: Names folder, table, size and fit.
            told: Called with what the user should know of files that are left out.
            progress: Told how far it is.

        Raises:
            ValueError: If there are not two classes of pictures that can be read.
        """
        if config.data_dir is None:
            raise ValueError("`data_dir` must name a folder that holds a subfolder for each class, got none.")
        folder = Path(config.data_dir)
        found = find_labelled(folder, None if config.labels is None else Path(config.labels))
        everything = canvases_of(config, folder, [file for file, _ in found])
        broken = everything.find_broken(progress)
        skipped = {found[place].file: why for place, why in broken.items()}
        whole = [item for place, item in enumerate(found) if place not in broken]
        _check(folder, found, whole, skipped)
        if told is not None:
            subfolders = [] if config.labels else [path for path in folder.iterdir() if path.is_dir()]
            for line in (*skipped.values(), *_lost_classes(subfolders, found, whole)):
                told(f"Skipped {line}")
        kept = everything.without(broken)
        return cls(config, kept, [item.label for item in whole], skipped)

    def training(self) -> Shuffled:
        return TrainingPictures(self)

    def held_out(self, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        for places in torch.split(self.held[part::parts], _JUDGED):
            yield self.canvases.read(places.tolist())[0], self.labels[places]

    def __len__(self) -> int:
        return len(self.held)

    @property
    def weights(self) -> Tensor:
        """What a sample of each class counts, (classes,), 1 on average over the training pictures."""
        counts = torch.bincount(self.labels[self.learnt], minlength=len(self.classes)).clamp(min=1)
        if self.config.balance == "images":
            return torch.ones(len(counts))
        return counts.sum() / (len(counts) * counts.float())


class TrainingPictures(Shuffled):
    """Augmented anew in every epoch; beside the labels what each sample counts."""

    def __init__(self, pictures: Pictures) -> None:
        config = pictures.config
        count = len(pictures.learnt)
        super().__init__(count, min(config.batch, count), config.seed)
        self.pictures, self.weights = pictures, pictures.weights

    def samples(self, places: Tensor, epoch: int) -> tuple[Tensor, ...]:
        config, chosen = self.pictures.config, self.pictures.learnt[places]
        inputs = self.pictures.canvases.read(chosen.tolist())[0]
        labels = self.pictures.labels[chosen]
        draws = Draws(self.seed, epoch, chosen.numpy())
        changed = augment(inputs, draws, config.augment, mirror=config.mirror == "yes", fill=FILL)
        return changed, labels, self.weights[labels]


def canvases_of(config: Config, folder: Path, files: Sequence[str], **choices: Any) -> Canvases:
    """Files of a folder as a config's model sees them."""
    return Canvases(folder, files, config.size, fit=config.fit, fill=FILL, workers=config.workers, **choices)


def split(files: Sequence[str], labels: Sequence[str], per_cent: int) -> tuple[Tensor, Tensor]:
    """Which pictures to train on and which to be judged by, places sorted, by class.

    A share of every class, drawn by the files' names: the same in every training, whatever its seed, and
    nearly the same when files are added. Of a class of one picture none is held out, of two or more at least
    one.
    """
    keys = [_digest(file) for file in files]
    held = []
    for label in sorted(set(labels)):
        mine = sorted((k for k in range(len(files)) if labels[k] == label), key=keys.__getitem__)
        count = max(round(len(mine) * per_cent / 100), 1) if len(mine) > 1 else 0
        held += mine[: min(count, len(mine) - 1)]
    judged = torch.zeros(len(files), dtype=torch.bool)
    judged[held] = True
    return (~judged).nonzero()[:, 0], judged.nonzero()[:, 0]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogateescape")).digest()


def _lost_classes(
    subfolders: Iterable[Path], found: Sequence[Labelled], whole: Sequence[Labelled]
) -> list[str]:
    left = Counter(item.label for item in whole)
    named = {item.label for item in found} | {path.name for path in subfolders}
    lost = sorted(label for label in named if not left[label] and not label.startswith("."))
    return [f"the class {label}: there is no image in it that can be read." for label in lost]


def _check(
    folder: Path, found: Sequence[Labelled], whole: Sequence[Labelled], skipped: dict[str, str]
) -> None:
    counts = Counter(item.label for item in whole)
    if len(counts) < 2:
        first = f" What cannot be read, first of all: {next(iter(skipped.values()))}" if skipped else ""
        raise ValueError(
            f"{folder} must hold images of at least two classes, a subfolder for each; {len(whole)} of its "
            f"{len(found)} files can be read, and their classes are: {', '.join(counts) or 'none'}.{first}"
        )
    if odd := [label for label in counts if label.encode(errors="ignore").decode() != label]:
        raise ValueError(f"{folder} must name its classes in UTF-8, got {odd[0]!r}; rename that subfolder.")
    if max(counts.values()) < 2:
        raise ValueError(
            f"{folder} must hold at least two images of some class: one to train on and one to judge by."
        )
