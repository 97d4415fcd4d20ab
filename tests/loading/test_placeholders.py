import time
from collections.abc import Callable

import pytest

from battle.errors import Problem
from battle.loading import load_text


def filled(sound: str, variables: str, name: str, **asked: object) -> object:
    """What `description: ${…}` or another text becomes, with these vars."""
    text = sound.replace("vars: {rate: 200/s}", f"vars: {variables}\nx-free: 1\ndescription: {name}")
    return load_text(text, **asked).data["description"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("variables", "text", "becomes"),
    [
        ("{rate: 50/s, a: b}", "${a}", "b"),
        ("{rate: 50/s, a: b}", "x ${a} ${a} y", "x b b y"),
        # typed values are written as they were
        ("{rate: 50/s, a: 1.50, b: true, c: null}", "${a} ${b} ${c}", "1.50 true null"),
        # vars made of vars, also of those below
        ("{rate: 50/s, a: '${b}!', b: c}", "${a}", "c!"),
        # what waits for each request is left alone
        ("{rate: 50/s}", "'${key} ${key:hex} ${address} ${int:1..9} ${choice:a,b}'", None),
        # no placeholder at all
        ("{rate: 50/s}", "'$x {y} ${ $$ ${'", None),
    ],
)
def test_text_is_filled_in(sound: str, variables: str, text: str, becomes: str | None) -> None:
    assert filled(sound, variables, text) == (text.strip("'") if becomes is None else becomes)


def test_a_single_placeholder_keeps_its_type(sound: str) -> None:
    text = sound.replace("weight: 4", 'weight: "${w}"').replace('params: ["${address}", latest]', "params: '${p}'")
    text = text.replace("vars: {", "vars: {w: 7, p: [1, {a: true}], ")
    requests = load_text(text).data["workload"]["reads"]["requests"]
    assert requests[0]["weight"] == 7
    assert requests[1]["params"] == [1, {"a": True}]


def test_set_overrides_vars_with_typed_values(sound: str) -> None:
    loaded = load_text(
        sound.replace("weight: 4", 'weight: "${w}"').replace("vars: {", "vars: {w: 1, "), overrides={"w": "3.5"}
    )
    assert loaded.data["workload"]["reads"]["requests"][0]["weight"] == 3.5
    assert loaded.data["vars"] == {"w": 3.5, "rate": "200/s"}


def test_set_may_give_a_var_that_is_used_and_not_declared(sound: str) -> None:
    loaded = load_text(sound.replace("vars: {rate: 200/s}\n", ""), overrides={"rate": "140/s"})
    assert loaded.data["workload"]["reads"]["load"][1]["rate"] == "140/s"
    assert load_text(loaded.masked_text).scenario == loaded.scenario


def test_the_environment(sound: str) -> None:
    assert (
        filled(sound, "{rate: '${env:RATE}'}", "x${env:A}", environment={"A": "${rate}", "RATE": "50/s"}) == "x${rate}"
    )


@pytest.mark.parametrize(("text", "weight"), [("3", 3), ("2.5", 2.5)])
def test_text_of_the_environment_is_a_number_where_one_is_needed(sound: str, text: str, weight: float) -> None:
    changed = sound.replace("weight: 4", "weight: '${env:W}'").replace("latest]", "'${env:W}']")
    requests = load_text(changed, environment={"W": text}).data["workload"]["reads"]["requests"]
    assert requests[0]["weight"] == weight
    assert requests[1]["params"] == ["${address}", text]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"${rate}"', '"${rat}"', "12:31: ${rat} is not among the vars (did you mean 'rate'?)"),
        ('"${rate}"', '"${addres}"', "12:31: ${addres} is not among the vars (did you mean 'address'?)"),
        ('"${rate}"', '"${a b}"', "12:31: ${a b} is not a placeholder"),
        ('"${rate}"', '"${}"', "12:31: ${} is not a placeholder"),
        ('"${rate}"', '"${env:RAT}"', "12:31: the environment has no 'RAT' (did you mean 'RATE'?)"),
        ('"${rate}"', '"${env:XYZ}"', "12:31: the environment has no 'XYZ' (set it: XYZ=… battle run …)"),
        ("{rate: 200/s}", "{rate: '${rate}'}", "2:14: the var 'rate' is made of itself: rate -> rate"),
        ("{rate: 200/s}", "{rate: 2/s, key: 1}", "2:19: 'key' cannot be a var: ${key} is filled per request"),
        ("name: sound", "name: 'x ${list}'\nx-l: 1", "1:7: ${list} is not among the vars"),
    ],
)
def test_what_stands_for_nothing_is_refused_once(changed: Callable[..., str], old: str, new: str, said: str) -> None:
    found = changed(old, new, environment={"RATE": "5/s"})
    assert found.startswith(said)
    assert "\n" not in found


def test_a_list_cannot_stand_inside_text(problems: Callable[..., list[Problem]], sound: str) -> None:
    text = sound.replace("vars: {", "vars: {l: [1], ").replace("name: sound", "name: a ${l}")
    assert [str(problem) for problem in problems(text)] == [
        "s.yaml:1:7: ${l} is a list or a mapping and cannot stand inside text"
    ]


def test_a_circle_of_vars(problems: Callable[..., list[Problem]], sound: str) -> None:
    found = problems(sound.replace("vars: {", "vars: {a: '${b}', b: '${a}', "))
    assert found
    assert all("is made of itself: " in problem.message for problem in found)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"rat": "1/s"}, "--set rat=…: the scenario has no var 'rat' (did you mean 'rate'?)"),
        ({"zz": "1"}, "--set zz=…: the scenario has no var 'zz' (vars: rate)"),
    ],
)
def test_set_of_what_is_not_there(changed: Callable[..., str], overrides: dict[str, str], said: str) -> None:
    assert changed("name: sound", "name: sound", overrides=overrides) == said


@pytest.mark.parametrize(
    "variables",
    [
        # ten lists of ten, seven times; text that doubles; a chain without end
        "".join(f"  v{n}: [" + f"'${{v{n - 1}}}'," * 10 + "]\n" for n in range(1, 8)) + "  v0: x\n",
        "".join(f"  v{n}: '${{v{n - 1}}}${{v{n - 1}}}'\n" for n in range(1, 60)) + "  v0: xxxxxxxx\n",
        "".join(f"  v{n}: '${{v{n - 1}}}${{v{n - 1}}}'\n" for n in range(1, 12)) + f"  v0: {'x' * 50_000}\n",
        "".join(f"  v{n}: ['${{v{n - 1}}}']\n" for n in range(1, 2000)) + "  v0: x\n",
    ],
    ids=["lists", "text", "long text", "chain"],
)
def test_vars_that_grow_without_end(problems: Callable[..., list[Problem]], sound: str, variables: str) -> None:
    started = time.perf_counter()
    found = problems(sound.replace("vars: {rate: 200/s}", f"vars:\n  rate: 1/s\n{variables}"))
    assert time.perf_counter() - started < 2
    assert "vars that hold vars make this too large or too deep" in found[0].message


def test_secrets_are_not_in_messages(changed: Callable[..., str]) -> None:
    found = changed("latency: 5ms", "latency: '${env:TOKEN}'", environment={"TOKEN": "hunter22"})
    assert found.startswith("5:34: '***' is not a duration")
