"""Every supervised experiment by its name."""

from typing import Any

from .birds import RECIPE as BIRDS
from .distorted_mnist import RECIPE as DISTORTED_MNIST
from .images import RECIPE as IMAGES
from .mnist_addition import RECIPE as MNIST_ADDITION
from .recipe import Recipe
from .svhn import RECIPE as SVHN
from .volumes import RECIPE as VOLUMES

RECIPES: dict[str, Recipe[Any, Any]] = {
    recipe.name: recipe for recipe in (DISTORTED_MNIST, MNIST_ADDITION, VOLUMES, SVHN, BIRDS, IMAGES)
}
