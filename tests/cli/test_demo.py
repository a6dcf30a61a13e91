"""`torchstn demo`: two trainings, a table, pictures, a film; again without training anew."""

from pathlib import Path

from PIL import Image

from .conftest import Call


def test_demo_trains_tells_and_draws(call: Call, tmp_path: Path) -> None:
    words = ("demo", "--iterations", 3, "--threads", 1, "--out", tmp_path)
    done = call(*words)
    assert done.exit_code == 0
    assert "rts/cnn" in done.output
    assert "rts/st-cnn-affine" in done.output
    for name in ("digits.png", "means.png", "curves.png", "film.gif"):
        assert f"{tmp_path / name}: " in done.output
    with Image.open(tmp_path / "film.gif") as film:
        # The identity at the start, and what the end has made of it.
        assert film.n_frames == 2
    weights = {path: path.read_bytes() for path in tmp_path.glob("*/model.safetensors")}
    again = call(*words)
    assert again.exit_code == 0
    assert len(weights) == 2
    assert weights == {path: path.read_bytes() for path in tmp_path.glob("*/model.safetensors")}
