"""Keys and certificates for OpenFlow over TLS, made by Open vSwitch's own ovs-pki."""
