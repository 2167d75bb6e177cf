"""The resources that filter and translate packets. Pure."""
