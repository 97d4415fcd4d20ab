import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battle.errors import Problem, ScenarioError
from battle.loading import load_text
from battle.loading.mistakes import Mistakes
from battle.loading.nodes import MapNode, at, key_place, place, plain, scalars, typed
from battle.loading.yaml_nodes import MAX_NODES, parse_yaml

FILE = Path("s.yaml")


def read(text: str) -> MapNode:
    mistakes = Mistakes()
    tree = parse_yaml(text, FILE, mistakes)
    mistakes.raise_any()
    return tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("0", 0),
        ("-12", -12),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("-0.5E-2", -0.005),
        # everything else stays what was written
        ("True", "True"),
        ("NULL", "NULL"),
        ("yes", "yes"),
        ("no", "no"),
        ("~", "~"),
        ("0x1b4", "0x1b4"),
        ("0o17", "0o17"),
        ("010", "010"),
        ("+1", "+1"),
        ("1.", "1."),
        (".5", ".5"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2026-11-23", "2026-11-23"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("٣", "٣"),
        ("9" * 5000, "9" * 5000),
        ("<<", "<<"),
        ("=", "="),
    ],
)
def test_only_json_scalars_are_typed(text: str, value: object) -> None:
    assert typed(text) == value
    assert type(typed(text)) is type(value)
    assert plain(read(f"k: {text}")) == {"k": value}


@pytest.mark.parametrize("text", ["true", "12", "null", "1.5"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_what_is_quoted_is_text(text: str, quote: str) -> None:
    assert plain(read(f"k: {quote}{text}{quote}")) == {"k": text}


def test_nothing_is_null_and_keys_are_text() -> None:
    assert plain(read("a:\n1: x\ntrue: y\n")) == {"a": None, "1": "x", "true": "y"}


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_json_numbers_are_numbers(number: float) -> None:
    text = repr(number)
    assert typed(text) == number


@given(st.text())
def test_typed_text_is_itself(text: str) -> None:
    value = typed(text)
    assert value == text or not isinstance(value, str)


def test_merge_keys_bring_in_what_is_not_there_with_its_own_marks() -> None:
    tree = read("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  <<: [*a, *b]\n  x: 9\nd: {<<: *a}\n")
    assert plain(tree)["c"] == {"x": 9, "y": 2, "z": 4}
    assert plain(tree)["d"] == {"x": 1, "y": 2}
    assert (place(tree, ("c", "z")).line, place(tree, ("c", "z")).column) == (2, 17)


def test_a_quoted_merge_key_is_a_key() -> None:
    assert plain(read('a: {"<<": 1}')) == {"a": {"<<": 1}}


def test_marks_of_values_and_keys() -> None:
    tree = read("a:\n  b: [10, {c: d}]\n")
    assert [(path, node.mark.line, node.mark.column) for path, node in scalars(tree)] == [
        (("a", "b", 0), 2, 7),
        (("a", "b", 1, "c"), 2, 15),
    ]
    # a mapping is pointed at by its key; a path that leads nowhere by the last part that exists
    assert place(tree, ("a", "b")).column == 3
    assert place(tree, ("a", "b", 1, "c", "x")).column == 15
    assert place(tree, ("a", "nothing")).line == 1
    assert key_place(tree, ("a", "b", 1, "c")).column == 12
    assert at(tree, ("a", "b", 7)) is None


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        # empty, or not one mapping
        ("", (1, 1), "the file is empty", "battle init"),
        ("# nothing\n\n", (1, 1), "the file is empty", "battle init"),
        ("- a\n", (1, 1), "a scenario is a mapping (`key: value`), and this is a list", None),
        ("text", (1, 1), "and this is a single value", None),
        ("a: 1\n---\nb: 2\n", (2, 1), "a second YAML document begins here", "one file holds one scenario"),
        # keys
        ("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", (5, 3), "duplicate key 'c'", "the first is at 3:3"),
        ("1: a\n'1': b\n", (2, 1), "duplicate key '1'", "the first is at 1:1"),
        ("x: {<<: {a: 1}, <<: {b: 1}}", (1, 4), "`<<` stands twice", "give it a list"),
        ("x:\n  <<: 3\n", (2, 7), "`<<` takes a mapping", None),
        ("x: {[a]: 1}", (1, 5), "a key is a single word", "${"),
        ("x: {{rate}: 1}", (1, 5), "a key is a single word", "${"),
        # tags
        ("a: !!python/object:os.system x", (1, 4), "the YAML tag !!python/object:os.system is not allowed", "quote"),
        ("a: !!str 1", (1, 4), "the YAML tag !!str is not allowed", None),
        ("a:\n  - !thing {}", (2, 5), "the YAML tag !thing is not allowed", None),
        ("a: ! b", (1, 4), "the YAML tag ! is not allowed", None),
        # aliases
        ("a: *b", (1, 4), "the alias *b stands for nothing", None),
        ("a: &a [*a]", (1, 8), "the alias *a stands for nothing", None),
        # syntax
        ("a: [1, 2", (1, 9), "not YAML: while parsing a flow sequence", None),
        ("name: x\nrate: [${rate}]", (2, 9), "not YAML", 'quote it: "${…}"'),
        ("é: {rate: ${rate}}", (1, 12), "not YAML", 'quote it: "${…}"'),
        ("a: b: c", (1, 5), "not YAML: mapping values are not allowed", None),
        ("a:\n\t- b", (2, 1), "not YAML", "indent with spaces, not tabs"),
        ("a: 1\nb: \x07", (2, 4), "not YAML: ", None),
        ("a: é\x00", (1, 5), "not YAML: ", None),
        ("a: \ud800", (1, 4), "lone surrogate", None),
    ],
)
def test_what_is_no_scenario_is_refused_at_its_place(
    problems: Callable[[str], list[Problem]], text: str, place: tuple[int, int], message: str, hint: str | None
) -> None:
    found = problems(text)
    matching = [problem for problem in found if message in problem.message]
    assert matching, found
    assert (matching[0].line, matching[0].column, matching[0].file) == (*place, FILE)
    assert hint is None or hint in (matching[0].hint or "")


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 200_000, "nested more than 40 levels deep"),
        ("{" * 200_000, "nested more than 40 levels deep"),
        ("[{" * 100_000, "nested more than 40 levels deep"),
        ("- " * 200_000, "nested more than 40 levels deep"),
        ("? " * 200_000, "nested more than 40 levels deep"),
        ("\n".join(" " * n + "a:" for n in range(1000)), "nested more than 40 levels deep"),
        ("\n".join(" " * n + "-" for n in range(1000)), "nested more than 40 levels deep"),
        ("a: [" + "1," * 300_000 + "]", "more than 20,000 values"),
        ("a: " + "- x\n" * 3, "not YAML"),
        (BOMB, "more than 20,000 values, aliases written out"),
        # aliases are as deep as what they stand for
        ("".join(f"a{n}: &a{n} {{b: {f'*a{n - 1}' if n else 'x'}}}\n" for n in range(60)), "more than 40 levels"),
        ("&a " * 100_000, "not YAML"),
        ("'" * 199_999, "not YAML"),
    ],
    ids=lambda value: value[:12],
)
def test_bombs_are_refused_at_once(problems: Callable[[str], list[Problem]], text: str, message: str) -> None:
    started = time.perf_counter()
    found = problems(text)
    assert time.perf_counter() - started < 1.5
    assert message in found[0].message


def test_the_bounds_are_exact() -> None:
    # 40 levels: the root, 38 lists, and the value; 20,000 values: root, key, list and the rest
    assert plain(read("a: " + "[" * 38 + "1" + "]" * 38))
    with pytest.raises(ScenarioError, match="40 levels"):
        read("a: " + "[" * 39 + "1" + "]" * 39)
    assert plain(read("a: [" + "1," * (MAX_NODES - 3) + "]"))
    with pytest.raises(ScenarioError, match="20,000 values"):
        read("a: [" + "1," * (MAX_NODES - 2) + "]")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        load_text(text)
    assert refused.value.problems


yaml_words = st.sampled_from(
    [
        *"[]{},",
        "a",
        "b: ",
        "- ",
        "&x ",
        "*x",
        "<<: ",
        "'",
        '"',
        "${a}",
        "${",
        "!t ",
        "|",
        ">",
        "#",
        "\n",
        "\n  ",
        "? ",
        ": ",
        "---\n",
        "%",
        "@",
        "\t",
        "name: ",
        "workload: ",
        "slo: ",
        "chaos: ",
        "extends: ",
    ]
)


@given(st.lists(yaml_words, max_size=30).map("".join))
def test_any_mixture_of_yaml_is_read_or_refused(text: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        load_text(text)
    assert refused.value.problems
