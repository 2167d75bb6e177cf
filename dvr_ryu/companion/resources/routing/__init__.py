"""The resources that iproute2 shows: addresses, routes, rules and neighbours. Pure."""
