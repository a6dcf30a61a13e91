"""The Sphinx build of the documentation; strict, so that a broken reference fails it."""

import tomllib
from pathlib import Path

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

# Names of other projects: the build works without a network, so it has no list of what they document.
_others = "torch|numpy|np|collections|pathlib|typing|jaxtyping|accelerate|matplotlib|rich|typer|PIL"
_short = r"Tensor|nn\.Module|Path|Any|Self|Literal|Sequence|Iterable|Callable|Mapping"
nitpick_ignore_regex = [("py:.*", rf"({_others})(\..*)?"), ("py:class", rf"({_short})(\[.*)?")]
