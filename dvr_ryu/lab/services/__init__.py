"""The services of a lab, the controller and the companions: flows, keys, start, readiness."""
