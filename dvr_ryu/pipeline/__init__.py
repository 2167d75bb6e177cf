"""How a bridge forwards: the flows/ language, from text to lint to OpenFlow bytes. Pure: sends
nothing.
"""
