"""How a bridge forwards: the flows/ language, from text to OpenFlow bytes. Pure: sends nothing."""
