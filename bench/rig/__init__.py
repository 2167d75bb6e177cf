"""What measurements stand on: switches, sockets, hosts and topologies of their own."""
