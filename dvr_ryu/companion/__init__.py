"""The Linux edge of one host: facts that should hold, readers of those that do, writers."""
