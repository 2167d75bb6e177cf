"""What is in Open vSwitch's database. Pure."""
