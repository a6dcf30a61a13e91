"""The Sphinx build of the documentation; strict, so that a broken reference fails it."""

import importlib
import re
import sys
import tomllib
from pathlib import Path

from docutils.nodes import Element
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

# Without jaxtyping the package's annotations are plain tensors, which read better than shapes as types.
sys.modules["jaxtyping"] = None

_project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]

project = "torchstn"
author = "the torchstn developers"
copyright = f"2026, {author}"  # noqa: A001 - the name Sphinx reads
release = version = _project["version"]

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "myst_parser",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "torchstn"
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "attrs_inline"]
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_numpy_docstring = False
napoleon_preprocess_types = False
napoleon_use_ivar = True
default_role = "code"

# Names of other projects: the build works without a network, so it has no list of what they document.
_others = (
    "abc|contextlib|torch|numpy|np|collections|pathlib|typing|jaxtyping|accelerate|matplotlib|rich|typer|PIL"
)
_short = r"Tensor|Module|nn\.Module|Path|Any|Self|Literal|Sequence|Iterable|Callable|Mapping|SupportsIndex"
nitpick_ignore_regex = [
    ("py:.*", rf"({_others})(\..*)?"),
    ("py:class", rf"({_short})(\[.*)?"),
    ("py:class", r"torchstn\..*\._\w+"),
    ("py:(class|obj)", r"torchstn\.recipes\.(recipe|digit_samples)\.[CS]"),
]

_PARTS = (
    "",
    ".localisation",
    ".transform",
    ".grid",
    ".data",
    ".training",
    ".recipes.supervised",
    ".recipes.finished",
    ".recipes.backbones",
    ".recipes.distorted_mnist",
    ".figures",
)


def _public_names() -> dict[str, str]:
    """From where a thing is defined to where it is documented, as from `grid.base.Grid` to `grid.Grid`."""
    names: dict[str, str] = {}
    for part in reversed(_PARTS):
        module = importlib.import_module(f"torchstn{part}")
        for name, value in vars(module).items():
            home = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
            if not name.startswith("_") and home.startswith("torchstn."):
                names.setdefault(home, f"{module.__name__}.{name}")
    return names


def _resolve(
    app: Sphinx, environment: BuildEnvironment, node: pending_xref, content: Element
) -> Element | None:
    """Leads a reference by a private module's name to the public one."""
    public = _PUBLIC.get(node.get("reftarget", ""))
    if public is None:
        return None
    domain = environment.get_domain("py")
    return domain.resolve_xref(environment, node["refdoc"], app.builder, "obj", public, node, content)


_PUBLIC = _public_names()


def _escape_shapes(
    _app: Sphinx, _what: str, _name: str, _value: object, _options: object, lines: list[str]
) -> None:
    """Keeps the star of shapes such as (n, c, *size) from starting emphasis; code is left alone."""
    pieces = "\n".join(lines).split("`")
    pieces[::2] = [re.sub(r"(?<![\w*\\])\*(?=[a-z])", r"\\*", piece) for piece in pieces[::2]]
    lines[:] = "`".join(pieces).split("\n")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _escape_shapes)
    app.connect("missing-reference", _resolve)
