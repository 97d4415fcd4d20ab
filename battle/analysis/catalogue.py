"""Importing this module enters every indicator that comes with battle."""

from battle.analysis.indicators import (
    amplification,
    availability,
    breaker,
    correctness,
    failover,
    latency,
    outage,
    per_fault,
    providers,
    resources,
)

FAMILIES = (
    availability,
    latency,
    failover,
    per_fault,
    outage,
    amplification,
    correctness,
    breaker,
    providers,
    resources,
)
"""All families, named here so that no tool deletes an import made for its effect."""
