"""Chains of iptables, in our namespaces and on the host."""
