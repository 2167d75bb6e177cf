"""Programs that run on: dnsmasq and the DHCP clients of instances."""
