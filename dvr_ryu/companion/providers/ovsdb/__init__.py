"""Providers that use Open vSwitch's database: bridges, ports, settings for TLS."""
