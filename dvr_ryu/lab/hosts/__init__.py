"""Hosts made of namespaces, the underlay between them, and Open vSwitch on them."""
