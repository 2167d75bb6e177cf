"""The basis of measurements: switches, sockets, hosts and topologies of their own."""
