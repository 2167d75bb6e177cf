"""What the kernel is asked by netlink: namespaces, devices, addresses, routes, connections."""
