"""battle: load and chaos for failover proxies, with evidence."""

__version__ = "0.1.0"
