"""How the documentation is built: `sphinx-build -W -b html docs docs/_build`."""

project = "reports"
author = "The reports authors"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "reports"
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
