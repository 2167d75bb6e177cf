"""What people are shown of pipelines: lint, documentation, dumps, scripts. Pure."""
