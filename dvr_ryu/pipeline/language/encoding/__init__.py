"""OpenFlow's bytes of a field and of an action, where Ryu has no class for them. Pure."""
