"""Parses the flows/ language. Each match field and action knows its own OpenFlow bytes; no module
of this package knows a row of a relation, or a whole message. Pure.
"""
