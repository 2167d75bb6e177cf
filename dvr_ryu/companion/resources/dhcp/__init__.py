"""What a network's DHCP server and the instances' clients have. Pure."""
