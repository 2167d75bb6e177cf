"""Tools for authors of pipelines: lint, documentation, dumps, scripts. Pure."""
