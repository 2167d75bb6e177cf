"""Providers: for each kind of resource, which hold, how to make one, how to remove one.

They are grouped by what they speak. `provider` has what all of them have.
"""
