"""Compile values to OpenFlow bytes: each line once; then fill it with a view's rows. Pure."""
