"""The indicators, one file a family. `battle.analysis.catalogue` imports them all, which enters them."""
