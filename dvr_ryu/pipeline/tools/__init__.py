"""Tools for people who write pipelines: lint, documentation, dumps, scripts. Pure."""
