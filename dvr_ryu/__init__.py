"""Neutron's distributed virtual routing as a value: desired minus installed is the change.

This file imports nothing: every Python of the environment loads it at its start, for the sake of
ryu_on_eventlet.py.
"""
