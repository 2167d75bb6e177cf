"""Parse and compile pipelines: the flows/ language, from text to OpenFlow bytes. Pure."""
