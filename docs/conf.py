"""How Sphinx builds these documents: `make docs`, with warnings as errors.

The documents are plain RST, so that a repository's page shows them too. Their links name files;
`plain_rst` turns them into links between pages.
"""

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "dvr_ryu"
copyright = "the authors of dvr_ryu"
release = metadata.version("dvr_ryu")

extensions = ["plain_rst"]
exclude_patterns = ["_build"]
nitpicky = True
highlight_language = "none"

html_theme = "furo"
html_title = f"dvr_ryu {release}"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["wide.css"]
