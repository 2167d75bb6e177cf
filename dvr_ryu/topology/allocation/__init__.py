"""Choose the numbers, addresses and ports that a file omits, by pure functions."""
