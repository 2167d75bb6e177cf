"""Metrics of the controller and of companions, for Prometheus. They show; they change nothing."""
