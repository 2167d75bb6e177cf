"""The Linux edge of one host: resources that should hold, readers of those that do, writers."""
