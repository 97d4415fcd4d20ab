from collections.abc import Iterator
from typing import ClassVar, Literal

import pytest
from pydantic import BaseModel, ValidationError

from battle.core import component
from battle.core.component import Component, kinds, restore, rooms, snapshot


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    saved = snapshot()
    yield
    restore(saved)


class Shape(Component):
    """A room of this test."""

    room: ClassVar[str] = "shapes"
    sides: int = 0


class Circle(Shape):
    """Round.

    Without corners.
    """

    kind: Literal["circle"] = "circle"
    radius: float


class Square(Shape):
    kind: Literal["square"] = "square"
    edge: float = 1


class Drawing(BaseModel):
    shapes: list[Shape]


component._rooms.pop("shapes")  # only the tests here know of it


@pytest.fixture(autouse=True)
def _entered(_restored: None) -> None:
    component._rooms["shapes"] = {"circle": Circle, "square": Square}
    Drawing.model_rebuild(force=True)


def test_a_field_of_a_room_takes_every_kind() -> None:
    drawing = Drawing.model_validate({"shapes": [{"kind": "circle", "radius": 2}, {"kind": "square"}]})
    assert [type(shape) for shape in drawing.shapes] == [Circle, Square]


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"kind": "oval"}, "union_tag_invalid"),
        ({"radius": 1}, "union_tag_not_found"),
        ({"kind": "circle"}, "missing"),
        ({"kind": "circle", "radius": 1, "edge": 2}, "extra_forbidden"),
    ],
)
def test_anything_else_is_refused(value: object, error: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Drawing.model_validate({"shapes": [value]})
    assert [each["type"] for each in refused.value.errors()] == [error]


def test_defining_a_class_enters_it_and_a_snapshot_takes_it_back() -> None:
    saved = snapshot()

    class Triangle(Shape):
        kind: Literal["triangle"] = "triangle"

    assert kinds("shapes")["triangle"] is Triangle
    Drawing.model_rebuild(force=True)
    assert isinstance(Drawing.model_validate({"shapes": [{"kind": "triangle"}]}).shapes[0], Triangle)
    restore(saved)
    assert "triangle" not in kinds("shapes")
    assert "triangle" not in saved["shapes"]


def test_a_kind_by_its_name() -> None:
    assert Shape.named("circle", radius=3) == Circle(radius=3)
    with pytest.raises(KeyError):
        Shape.named("oval")
    with pytest.raises(ValidationError):
        Shape.named("circle")


def test_what_is_known_cannot_be_changed_from_outside() -> None:
    with pytest.raises(TypeError):
        kinds("shapes")["oval"] = Circle  # type: ignore[index]
    with pytest.raises(TypeError):
        rooms()["shapes"] = {}  # type: ignore[index]
    assert kinds("nowhere") == {}


def test_a_component_is_immutable_and_says_what_it_is() -> None:
    circle = Circle(radius=1)
    with pytest.raises(ValidationError):
        circle.radius = 2  # type: ignore[misc]
    assert Circle.summary() == "Round."


@pytest.mark.parametrize("room", ["chaos", "load", "protocols", "providers", "proxies", "reporters"])
def test_every_kind_says_what_it_is_and_carries_its_own_name(room: str) -> None:
    assert kinds(room)
    for kind, member in kinds(room).items():
        assert member.model_fields["kind"].default == kind
        assert member.summary()
