"""Neutron's distributed virtual routing as a value: what should be, minus what is, is the change.

This file imports nothing: every Python of the environment loads it at its start, for the sake of
ryu_on_eventlet.py.
"""
