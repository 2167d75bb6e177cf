"""The resources of a network's DHCP server and the instances' clients. Pure."""
