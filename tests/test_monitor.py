"""What the monitor reports, by hand; when it warns, and with what remedy."""

import copy
import io
import math
import pickle
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from support.families import IN_2D, Family
from support.transformers import stir_heads, transformer
from torch import nn

import torchstn as stn


@pytest.fixture
def image() -> torch.Tensor:
    return torch.rand(4, 1, 8, 9)


def starting_at(*initial: float, **options: object) -> stn.SpatialTransformer:
    return transformer(stn.transform.Affine(initial=initial), stir=0.0, **options)


def observe(model: nn.Module, image: torch.Tensor) -> dict[str, object]:
    with stn.Monitor(model) as monitor:
        model(image)
        return monitor.report()


def test_the_identity_covers_everything(image: torch.Tensor) -> None:
    (seen,) = observe(starting_at(1, 0, 0, 0, 1, 0), image).values()
    assert (seen.coverage, seen.non_finite, seen.gradient_share) == (1.0, 0.0, None)
    assert seen.scale == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("theta", "scale"),
    [
        ((0.5, 0, 0, 0, 0.5, 0), 0.5),
        ((0.5, 0, 0, 0, 0.125, 0), 0.25),  # the side of the square of the same area
        ((0.0, -0.5, 0, 0.5, 0.0, 0), 0.5),  # turned
        ((-0.5, 0, 0, 0, 0.5, 0), 0.5),  # mirrored
    ],
    ids=str,
)
def test_scale_is_the_side_of_what_is_read(
    theta: tuple[float, ...], scale: float, image: torch.Tensor
) -> None:
    (seen,) = observe(starting_at(*theta), image).values()
    assert seen.scale == pytest.approx(scale, rel=1e-5)
    assert seen.coverage == 1.0


def test_scale_of_a_volume_is_the_side_of_a_cube() -> None:
    half = stn.transform.Affine(dims=3, initial=[0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0])
    (seen,) = observe(transformer(half, (5, 6, 7), stir=0.0), torch.rand(1, 1, 5, 6, 7)).values()
    assert seen.scale == pytest.approx(0.5, rel=1e-5)


def test_coverage_counts_points_inside(image: torch.Tensor) -> None:
    # Moved right by three pixels of nine: the last three columns read outside.
    (seen,) = observe(starting_at(1, 0, 2 * 3 / 9, 0, 1, 0), image).values()
    assert seen.coverage == pytest.approx(6 / 9)


@pytest.mark.parametrize("one", IN_2D)
def test_agrees_with_the_grid(one: Family, image: torch.Tensor) -> None:
    model = transformer(one.make(), stir=0.1)
    with stn.Monitor(model, min_coverage=0.0) as monitor:
        grid = model(image, return_grid=True)[1]
        (seen,) = monitor.report().values()
    assert seen.coverage == pytest.approx(grid.coverage().mean().item())
    areas = grid.jacobian_determinant().abs().flatten(1).detach().numpy()
    area = np.percentile(areas, 50, axis=1, method="lower").mean()
    assert seen.scale == pytest.approx(area**0.5, rel=1e-5)


def test_scale_is_not_that_of_a_horizon(image: torch.Tensor) -> None:
    # Areas are 1 / |1 + 1.5 x|^3: 1 in the middle column, half of the others below, and one all but infinite.
    model = transformer(stn.transform.Projective(initial=[1, 0, 0, 0, 1, 0, 1.50001, 0]), stir=0.0)
    with stn.Monitor(model, min_coverage=0.0) as monitor:
        areas = model(image, return_grid=True)[1].jacobian_determinant().abs()
        (seen,) = monitor.report().values()
    assert areas.mean() > 1e6
    assert seen.scale == pytest.approx(1.0, rel=1e-4)


def test_gradient_share_is_the_ratio_of_norms(image: torch.Tensor) -> None:
    model = nn.Sequential(transformer("affine"), nn.Flatten(), nn.Linear(72, 2))
    with stn.Monitor(model, min_coverage=0.0) as monitor:
        model(image).square().sum().backward()
        (seen,) = monitor.report().values()
    own, whole = (
        torch.cat([parameter.grad.flatten() for parameter in module.parameters()]).norm().item()
        for module in (model[0], model)
    )
    assert 0 < seen.gradient_share < 1
    assert seen.gradient_share == pytest.approx(own / whole, rel=1e-5)


def test_gradient_share_without_gradients(image: torch.Tensor) -> None:
    model = nn.Sequential(transformer("affine"), nn.Flatten(), nn.Linear(72, 2))
    model[0].requires_grad_(False)
    with stn.Monitor(model, min_coverage=0.0) as monitor:
        model(image).sum().backward()
        assert monitor.report()["0"].gradient_share == 0.0
        for parameter in model[2].parameters():
            parameter.grad.zero_()
        assert monitor.report()["0"].gradient_share == 0.0


def test_gradient_share_of_what_is_no_number(image: torch.Tensor) -> None:
    model = nn.Sequential(transformer("affine"), nn.Flatten(), nn.Linear(72, 2))
    with stn.Monitor(model, min_coverage=0.0) as monitor:
        model(image)
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, float("nan"))
        share = monitor.report()["0"].gradient_share
    assert math.isnan(share)


def test_gradient_share_of_a_half_model_does_not_overflow(image: torch.Tensor) -> None:
    model = nn.Sequential(transformer("affine"), nn.Flatten(), nn.Linear(72, 64)).half()
    with stn.Monitor(model, min_coverage=0.0) as monitor:
        model(image.half())
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, 2000.0)
        share = monitor.report()["0"].gradient_share
    own, whole = (sum(p.numel() for p in module.parameters()) for module in (model[0], model))
    assert share == pytest.approx((own / whole) ** 0.5, rel=1e-5)


def test_names_every_transformer(image: torch.Tensor) -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.look = transformer("affine")
            self.parts = stn.Parallel([transformer("rigid"), transformer("thin_plate")])

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.parts(self.look(x))

    model = Network()
    with stn.Monitor(model, min_coverage=0.0) as monitor:
        assert monitor.report() == {}
        model(image)
        assert set(monitor.report()) == {"look", "parts.transformers.0", "parts.transformers.1"}


def test_one_transform_shared_by_two_transformers_is_seen_twice(image: torch.Tensor) -> None:
    half = stn.transform.Attention(initial=[0.5, 0.0, 0.0])
    model = nn.Sequential(transformer(half, stir=0.0), transformer(half, stir=0.0))
    nn.init.constant_(model[1].head.bias, 0.25)
    seen = observe(model, image)
    assert seen["0"].scale == pytest.approx(0.5)
    assert seen["1"].scale == pytest.approx(0.75)


def test_warns_with_the_remedy_when_it_leaves_the_image(image: torch.Tensor) -> None:
    model = nn.ModuleDict({"look": starting_at(1, 0, 1.8, 0, 1, 0)})
    with stn.Monitor(model) as monitor:
        model["look"](image)
        with pytest.warns(
            stn.TransformerWarning, match=r"look: only 11% of the points.*localisation_scale"
        ) as seen:
            report = monitor.report()
    assert seen[0].filename == __file__
    assert report["look"].coverage == pytest.approx(1 / 9)


def test_active_is_the_share_of_features_that_differ_between_images(image: torch.Tensor) -> None:
    model = starting_at(1, 0, 0, 0, 1, 0)
    with torch.no_grad():
        last = model.localisation.layers[-2]
        assert isinstance(last, nn.Linear)
        last.bias[:1] = -100.0
        (seen,) = observe(model, image).values()
    features = model.localisation(image)
    assert (features[:, 0] == 0).all()
    expected = (features != features[:1]).any(0).float().mean().item()
    assert 0 < expected < 1
    assert seen.active == pytest.approx(expected)
    (alone,) = observe(model, image[:1]).values()
    assert alone.active is None


@pytest.mark.parametrize("stirred", [False, True])
def test_warns_of_a_localisation_network_that_has_died(image: torch.Tensor, stirred: bool) -> None:
    model = starting_at(1, 0, 0, 0, 1, 0)
    if stirred:
        stir_heads(model, 0.1)
    with torch.no_grad():
        model.localisation.layers[-2].bias.fill_(-100.0)
    with stn.Monitor(model) as monitor:
        model(image)
        with pytest.warns(stn.TransformerWarning, match=r"the same of every image.*leak=0.1") as caught:
            (seen,) = monitor.report().values()
    assert seen.active == 0
    assert [one.message.trouble for one in caught] == ["dead"]
    again = pickle.loads(pickle.dumps(caught[0].message))  # as another process would get it
    assert (str(again), again.trouble) == (str(caught[0].message), "dead")


def test_does_not_warn_of_a_transformer_that_has_not_begun_to_learn(image: torch.Tensor) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (seen,) = observe(starting_at(1, 0, 0, 0, 1, 0), image).values()
        observe(starting_at(1, 0, 0, 0, 1, 0), image[:1])
    assert seen.active > 0


def test_does_not_warn_within_its_bound(image: torch.Tensor) -> None:
    model = starting_at(1, 0, 1.8, 0, 1, 0)
    with stn.Monitor(model, min_coverage=0.1) as monitor, warnings.catch_warnings():
        warnings.simplefilter("error")
        model(image)
        monitor.report()


@pytest.mark.parametrize(("columns", "troubles"), [(4, []), (5, ["outside"])])
def test_warns_when_less_than_half_is_inside_unless_told_otherwise(
    columns: int, troubles: list[str], image: torch.Tensor
) -> None:
    model = starting_at(1, 0, 2 * columns / 9, 0, 1, 0)  # the last so many of nine columns read outside
    with stn.Monitor(model) as monitor, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", stn.TransformerWarning)
        model(image)
        (seen,) = monitor.report().values()
    assert seen.coverage == pytest.approx(1 - columns / 9)
    assert [one.message.trouble for one in caught] == troubles


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("one", IN_2D)
def test_warns_of_parameters_that_are_not_finite(one: Family, bad: float, image: torch.Tensor) -> None:
    model = transformer(one.make(), stir=0.0)
    image = image.clone()
    image[1, 0, 2, 2] = bad
    nn.init.constant_(model.head.weight, 1e-6)
    nn.init.constant_(model.localisation.layers[1].weight, 1e-3)
    with stn.Monitor(model, min_coverage=0.0) as monitor:
        output = model(image)
        with pytest.warns(
            stn.TransformerWarning, match=r"model: 25% of the samples.*not finite.*learning rate"
        ):
            (seen,) = monitor.report().values()
    assert output[[0, 2, 3]].isfinite().all()
    assert seen.non_finite == pytest.approx(0.25)
    assert seen.coverage == pytest.approx(0.75, abs=0.02)
    assert seen.scale == pytest.approx(1.0, rel=0.02)


def test_all_parameters_not_finite(image: torch.Tensor) -> None:
    model = transformer("affine", stir=0.0)
    nn.init.constant_(model.head.bias, float("nan"))
    with stn.Monitor(model) as monitor:
        model(image)
        with pytest.warns(stn.TransformerWarning, match="100%"):
            (seen,) = monitor.report().values()
    assert (seen.coverage, seen.non_finite) == (0.0, 1.0)
    assert seen.scale != seen.scale


def test_a_transform_called_by_itself_is_no_pass(image: torch.Tensor) -> None:
    model = transformer("affine")
    with stn.Monitor(model) as monitor:
        model.transform(torch.zeros(1, 6), (4, 5))
        assert monitor.report() == {}


def test_reports_the_last_pass(image: torch.Tensor) -> None:
    model = transformer("affine", stir=0.0)
    with stn.Monitor(model) as monitor:
        model(image)
        nn.init.constant_(model.head.bias, 0.3)
        model(image)
        (seen,) = monitor.report().values()
    assert seen.scale == pytest.approx((1.3**2 - 0.3**2) ** 0.5, rel=1e-5)


def test_keeps_no_graph_and_nothing_on_the_model(image: torch.Tensor) -> None:
    model = transformer("thin_plate")
    before = [set(vars(part)) for part in model.modules()]
    with stn.Monitor(model, min_coverage=0.0) as monitor:
        model(image)
        held = next(iter(monitor._grids.values()))
        assert held.theta.grad_fn is None
        assert held.offsets.grad_fn is None
        assert [set(vars(part)) for part in model.modules()] == before


def test_takes_its_hooks_off(image: torch.Tensor) -> None:
    model = transformer("affine")
    with stn.Monitor(model, min_coverage=0.0) as monitor:
        model(image)
    assert not model.transform._forward_hooks
    assert monitor.report() == {}
    model(image)
    assert monitor.report() == {}
    monitor.close()


def test_takes_its_hooks_off_after_an_error(image: torch.Tensor) -> None:
    model = transformer("affine")
    with pytest.raises(RuntimeError, match="stop"), stn.Monitor(model):
        raise RuntimeError("stop")
    assert not model.transform._forward_hooks


def test_changes_no_training(image: torch.Tensor) -> None:
    watched = transformer("thin_plate")
    alone = copy.deepcopy(watched)
    with stn.Monitor(watched, min_coverage=0.0) as monitor:
        watched(image).square().sum().backward()
        monitor.report()
    alone(image).square().sum().backward()
    for one, other in zip(watched.parameters(), alone.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)


@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
def test_a_copy_of_the_model_is_not_watched(image: torch.Tensor, how: str) -> None:
    model = transformer("affine", stir=0.1)
    with stn.Monitor(model, min_coverage=0.0) as monitor:
        model(image)
        expected = monitor.report()
        copied = copy.deepcopy(model) if how == "deepcopy" else pickle.loads(pickle.dumps(model))
        nn.init.constant_(copied.head.bias, 0.3)
        copied(image[:2])
        assert monitor.report() == expected
        nn.init.constant_(model.head.bias, 0.3)
        model(image)
        assert monitor.report() != expected


def test_a_watched_model_is_saved_without_its_monitor(image: torch.Tensor) -> None:
    model = transformer("affine")
    alone, watched = io.BytesIO(), io.BytesIO()
    torch.save(model, alone)
    with stn.Monitor(model, min_coverage=0.0):
        model(image.repeat(250, 1, 1, 1))
        torch.save(model, watched)
    assert watched.tell() < alone.tell() + 1000
    watched.seek(0)
    assert torch.equal(torch.load(watched, weights_only=False)(image), model(image))


@pytest.fixture
def fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def test_watches_a_compiled_model(image: torch.Tensor, fresh_compiler: None) -> None:
    model = starting_at(0.5, 0, 0, 0, 0.5, 0)
    with stn.Monitor(model) as monitor:
        output = torch.compile(model, fullgraph=True, backend="eager")(image)
        (seen,) = monitor.report().values()
    assert seen.scale == pytest.approx(0.5)
    torch.testing.assert_close(output, model(image))


def test_an_empty_batch(image: torch.Tensor) -> None:
    model = transformer("affine")
    stir_heads(model)
    with stn.Monitor(model) as monitor:
        model(image[:0])
        (seen,) = monitor.report().values()
    assert seen.non_finite == 0.0
    assert seen.coverage != seen.coverage  # of no points there is no share


def test_refuses_a_model_without_a_transformer() -> None:
    with pytest.raises(ValueError, match=r"`model` must hold a SpatialTransformer.*got Linear"):
        stn.Monitor(nn.Linear(1, 1))
