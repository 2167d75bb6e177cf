"""A trace as a story for people, and as a JSON document. Pure."""
