"""Providers: read, make and remove the resources of each kind.

They are grouped by interface. `provider` has their common protocol.
"""
