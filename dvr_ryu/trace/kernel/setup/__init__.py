"""A namespace as its resources and its DHCP leases make it, before any packet comes. Pure."""
