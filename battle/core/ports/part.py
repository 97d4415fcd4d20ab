"""Pieces of the scenario that have no kind."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A piece of the scenario without a kind. Immutable; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)
