"""Netfilter as values: rules of iptables, tracked connections, NAT, and the hooks. Pure."""
