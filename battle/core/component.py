"""A model that is chosen by its `kind`, and the rooms that kinds live in.

A room is a subclass of Component that sets `room`; a kind is a subclass of a room that gives the field `kind` a
literal default:

    class Fault(Component):
        room: ClassVar[str] = "chaos"

    class Kill(Fault):
        '''SIGKILL, and a restart at the end.'''
        kind: Literal["kill"] = "kill"

Defining the class enters it: a field of type `Fault` then accepts `{kind: kill}`. Models that hold rooms are built
when first used, after all kinds were imported; `rebuild` builds them again when a kind came later.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

_rooms: dict[str, dict[str, type["Component"]]] = {}


class Component(BaseModel):
    """The root of everything that a scenario chooses by `kind`. Immutable; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)

    room: ClassVar[str] = ""
    example: ClassVar[str] = ""
    """One line of YAML that shows the kind in use; printed by `battle kinds`."""

    kind: str

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if cls.__dict__.get("room"):
            _rooms.setdefault(cls.room, {})
            return
        kind = cls.model_fields["kind"].default
        if isinstance(kind, str):
            _rooms[cls.room][kind] = cls

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A room's schema is the tagged union of its kinds; a kind's schema is its own."""
        members = _rooms.get(cls.room, {}) if cls.__dict__.get("room") else {}
        if not members:
            return handler(source)
        choices = {kind: handler.generate_schema(member) for kind, member in sorted(members.items())}
        return core_schema.tagged_union_schema(choices, discriminator="kind")

    @classmethod
    def summary(cls) -> str:
        """The first line of the kind's docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]

    @classmethod
    def named(cls, kind: str, **settings: Any) -> Self:
        """Make the kind with this name from settings. Raises KeyError (unknown kind) or ValidationError."""
        return cast("Self", _rooms[cls.room][kind].model_validate({"kind": kind, **settings}))


def rooms() -> Mapping[str, Mapping[str, type[Component]]]:
    """All rooms that are known now: room -> kind -> class."""
    return MappingProxyType({room: MappingProxyType(kinds) for room, kinds in _rooms.items()})


def kinds(room: str) -> Mapping[str, type[Component]]:
    """The kinds of one room, by name; empty when nothing was entered."""
    return MappingProxyType(_rooms.get(room, {}))


def build_again(models: Iterable[type[BaseModel]]) -> None:
    """Build models again that were built before some kind was entered. One that was never used needs nothing."""
    for model in models:
        if model.__pydantic_complete__:
            model.model_rebuild(force=True)


def snapshot() -> dict[str, dict[str, type[Component]]]:
    """A copy of what is entered now, for `restore`."""
    return {room: dict(members) for room, members in _rooms.items()}


def restore(saved: dict[str, dict[str, type[Component]]]) -> None:
    """Go back to a snapshot, so that a kind defined inside a test does not outlive it."""
    _rooms.clear()
    _rooms.update({room: dict(members) for room, members in saved.items()})
