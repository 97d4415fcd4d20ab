"""The ports: what each room promises to the engine, and what the engine gives it.

A room's class is what a scenario chooses by `kind` (settings); starting or opening it gives a handle (behaviour). Extra
abilities are small protocols that a handle may also have; `Provider.abilities` says beforehand which ones its handle
will have, so that `battle check` can refuse a fault that its target cannot do.
"""
