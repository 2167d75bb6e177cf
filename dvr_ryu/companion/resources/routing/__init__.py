"""Addresses, routes, rules and neighbours: what iproute2 shows. Pure."""
