"""Choose omitted numbers, addresses and ports by pure functions of the declaration."""
