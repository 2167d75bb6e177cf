"""The desired topology: its file, its model, its numbers, and the view of one host. Pure."""
