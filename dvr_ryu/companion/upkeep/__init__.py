"""The parts of the companion that stays; `companion.run` is their loop."""
