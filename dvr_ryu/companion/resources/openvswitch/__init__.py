"""The resources in Open vSwitch's database. Pure."""
