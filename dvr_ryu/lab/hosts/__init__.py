"""Hosts made of namespaces, the underlay between them, and the programs on them."""
