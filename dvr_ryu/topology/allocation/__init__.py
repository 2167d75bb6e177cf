"""What a file leaves open: numbers, addresses and ports, as pure functions of the declaration."""
