"""How Sphinx builds the documentation: ``make docs``. Nothing is fetched from a network."""

from __future__ import annotations

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))

project = "faceblind"
author = "The faceblind developers"
copyright = author  # noqa: A001 - the name that Sphinx reads
_init = (HERE.parent / "src" / "faceblind" / "__init__.py").read_text(encoding="utf-8")
_version = HERE.parent / "src" / "faceblind" / "_version.py"
if _version.is_file():
    _init += _version.read_text(encoding="utf-8")
release = version = re.search(r'^__version__ = "(.+)"', _init, re.MULTILINE)[1]

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_design",
    "sphinx_copybutton",
    "generated_pages",
]
exclude_patterns = ["images", "_ext", "_templates"]
templates_path = ["_templates"]
nitpicky = True
# "See also" may name functions that have no page of their own.
nitpick_ignore_regex = [("py:obj", r"faceblind\..+")]
# Single backticks in docstrings are code: many name things that no page describes.
default_role = "literal"

autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "pydata_sphinx_theme"
html_title = f"faceblind {release}"
html_static_path = ["_static"]
html_css_files = ["faceblind.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "faceblind"},
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "header_links_before_dropdown": 7,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_toc_level": 2,
    "navigation_with_keys": False,
}
copybutton_prompt_text = r"\$ "
copybutton_prompt_is_regexp = True
