"""DHCP servers: the files that dnsmasq reads, and the leases that it writes."""
