"""What Open vSwitch's database has: bridges, ports, settings for TLS."""
