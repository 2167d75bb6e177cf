"""The flows/ language: text → values. Each match field and action knows its own OpenFlow bytes; no
module here knows a row of a relation, or a whole message. Pure.
"""
