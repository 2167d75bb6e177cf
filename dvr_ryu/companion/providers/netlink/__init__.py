"""Providers that use netlink: namespaces, devices, addresses, routes, connections."""
