"""Hosts made of namespaces, and the lab of a topology. Never touches the machine's own network."""
