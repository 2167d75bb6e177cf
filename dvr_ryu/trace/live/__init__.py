"""Asks the switches and kernels of running hosts for their own decisions along a computed way."""
