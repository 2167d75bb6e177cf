"""The parts of the resident companion; `companion.run` is their loop."""
