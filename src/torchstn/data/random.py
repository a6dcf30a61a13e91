"""Random numbers that are a function of what they are for, not of what was drawn before.

A generator has a state, and a state ties a picture to its batch, its worker and its process. Here every
number is a hash of (seed, epoch, purpose, index, position), so a digit is distorted the same way in any
batch, in any order, in any number of processes, and after any interruption.

The hash is the mixing function of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
generators", 2014), applied once for each part of the key; the numbers of one key are then its ordinary
SplitMix64 sequence. It is not meant for secrets.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Reals = NDArray[np.float64]

_WEYL = np.uint64(0x9E3779B97F4A7C15)
_UNIT = 2.0**-53


@dataclass(frozen=True)
class Draws:
    """The random numbers of a batch of images in one epoch.

    Args:
        seed: Of the whole run; any integer.
        epoch: Of the pass over the data; any integer, -1 by custom for a fixed test set.
        indices: int64 (b,), each image's place in its data set.

    Each method takes a `purpose`, a word that keeps uses apart: the same word gives the same numbers again.
    """

    seed: int
    epoch: int
    indices: NDArray[np.int64]

    def uniform(self, purpose: str, count: int, low: float = 0.0, high: float = 1.0) -> Reals:
        """Real numbers in [low, high), float64 (b, count)."""
        return low + (high - low) * _to_unit(self._words(purpose, count))

    def normal(self, purpose: str, count: int, deviation: float = 1.0) -> Reals:
        """Normal numbers of mean zero, float64 (b, count), by the method of Box and Muller."""
        pairs = (count + 1) // 2
        unit = _to_unit(self._words(purpose, 2 * pairs))
        radius = np.sqrt(-2.0 * np.log(1.0 - unit[:, :pairs]))  # of (0, 1]: finite
        angle = 2.0 * np.pi * unit[:, pairs:]
        both = np.concatenate((radius * np.cos(angle), radius * np.sin(angle)), axis=1)
        return deviation * both[:, :count]

    def integers(self, purpose: str, count: int, stop: int) -> NDArray[np.int64]:
        """Whole numbers in [0, stop), int64 (b, count); for any `stop` below 2^32 evenly to 1 in 10^6."""
        return np.floor(_to_unit(self._words(purpose, count)) * stop).astype(np.int64)

    def _words(self, purpose: str, count: int) -> Words:
        key = _mix((_key(self.seed, self.epoch, purpose) ^ self.indices.astype(np.uint64)) + _WEYL)
        positions = np.arange(1, count + 1, dtype=np.uint64)
        return _mix(key[:, None] + _WEYL * positions)


def _mix(z: Words) -> Words:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@lru_cache(maxsize=256)
def _key(seed: int, epoch: int, purpose: str) -> Words:
    """What all images of an epoch share."""
    key = _mix(_word(seed) + _WEYL)
    for part in (_word(epoch), _word_of(purpose)):
        key = _mix((key ^ part) + _WEYL)
    return key


def _word(value: int) -> Words:
    # an array, not a scalar: NumPy warns when a scalar product wraps, which is the point here
    return np.array([value % 2**64], dtype=np.uint64)


def _word_of(purpose: str) -> Words:
    return np.frombuffer(blake2b(purpose.encode(), digest_size=8).digest(), dtype="<u8").astype(np.uint64)


def _to_unit(words: Words) -> Reals:
    return (words >> np.uint64(11)).astype(np.float64) * _UNIT
