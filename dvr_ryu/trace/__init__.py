"""The way of a packet across all hosts, computed from a topology and flows/."""
