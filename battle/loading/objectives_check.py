"""Checks of objectives: that the indicator exists, that the value has its unit, and that what is named is there."""

from battle.analysis.indicator import Indicator, indicators
from battle.analysis.plan import shortfalls
from battle.core.objective import Condition, Quantity, Unit
from battle.core.scenario import Scenario
from battle.loading.mistakes import Mistakes, suggestion
from battle.loading.names_known import Names
from battle.loading.nodes import MapNode, Mark, Node, at, place

_EXAMPLES = {
    Unit.DURATION: "a duration, such as 250ms",
    Unit.SHARE: "a share, such as 99%",
    Unit.RATE: "a rate, such as 100/s",
    Unit.SIZE: "a size, such as 64MB",
    Unit.NUMBER: "a bare number, such as 3",
}


def check_objectives(scenario: Scenario, tree: Node, names: Names, mistakes: Mistakes) -> None:
    """Note every mistake in the objectives, by themselves and against the names of the scenario."""
    for number, objective in enumerate(scenario.slo):
        mark, condition = objective_place(tree, number), objective.condition
        indicator = indicators().get(condition.indicator)
        if indicator is None:
            hint = suggestion(condition.indicator, indicators(), what="indicators")
            mistakes.add(
                mark, f"unknown indicator {condition.indicator!r}", hint or "`battle kinds` lists all indicators"
            )
        else:
            _check_value(indicator, condition.required, mark, mistakes)
            _check_scope(indicator, condition, mark, mistakes)
            if indicator.needs_records:
                _check_records(indicator, scenario, names, mark, mistakes)
        _check_subject(condition, names, mark, mistakes)
        _check_where(condition, names, mark, mistakes)


def check_plan(scenario: Scenario, tree: Node, mistakes: Mistakes) -> None:
    """Note every objective that the plan cannot satisfy."""
    for lack in shortfalls(scenario):
        mistakes.add(objective_place(tree, lack.objective), lack.message, lack.hint)


def objective_place(tree: Node, number: int) -> Mark:
    """Where the text of an objective stands: in the list, under `objective`, or in the first framework's mapping."""
    slo = at(tree, ("slo",))
    if isinstance(slo, MapNode):
        return place(tree, ("slo", list(slo.entries)[number]))
    return place(tree, ("slo", number, "objective"))


def _check_value(indicator: Indicator, required: Quantity, mark: Mark, mistakes: Mistakes) -> None:
    if required.unit is Unit.RELATIVE:
        if indicator.about != "requests":
            mistakes.add(
                mark, f"{indicator.name} has no baseline to be relative to", f"write {_EXAMPLES[indicator.unit]}"
            )
        return
    fits = required.unit is indicator.unit
    bare = required.value if required.unit is Unit.NUMBER else None
    if bare is not None and indicator.unit is Unit.SHARE:
        fits = 0 <= bare <= 1
    if fits or (bare == 0 and indicator.unit is not Unit.NUMBER):
        return
    hint = f"write {_EXAMPLES[indicator.unit]}"
    if bare is not None:
        meant = {
            Unit.DURATION: f"{bare:g}ms",
            Unit.SHARE: f"{bare:g}%",
            Unit.RATE: f"{bare:g}/s",
            Unit.SIZE: f"{bare:g}MB",
        }
        hint = f"did you mean {meant[indicator.unit]}?"
    mistakes.add(
        mark, f"{indicator.name} is {_EXAMPLES[indicator.unit].partition(',')[0]}, and {required} is none", hint
    )


def _check_scope(indicator: Indicator, condition: Condition, mark: Mark, mistakes: Mistakes) -> None:
    relation, subject = condition.relation, condition.subject
    if indicator.about == "fault" and relation in {"before", "in"}:
        hint = f"write `of {subject}`" if relation == "before" else "choose a fault with `of <fault>`"
        mistakes.add(mark, f"{indicator.name} is measured for each fault, and has no window", hint)
    if indicator.about != "fault" and relation == "of":
        mistakes.add(
            mark, f"{indicator.name} is measured in a window, and not for each fault", f"write `during {subject}`"
        )
    if condition.where and indicator.about != "requests":
        mistakes.add(mark, f"{indicator.name} is not about single requests, so it cannot be narrowed by `where`")


def _check_records(indicator: Indicator, scenario: Scenario, names: Names, mark: Mark, mistakes: Mistakes) -> None:
    providers = scenario.setup.providers
    if any(provider.keeps_records for provider in providers.values()) or len(providers) < len(names.providers):
        return
    shown = ", ".join(f"{name} ({provider.kind})" for name, provider in providers.items()) or "there are no providers"
    said = f"{indicator.name} needs providers that keep records; none does: {shown}"
    mistakes.add(mark, said, "mock providers keep records")


def _check_subject(condition: Condition, names: Names, mark: Mark, mistakes: Mistakes) -> None:
    subject = condition.subject
    if condition.relation is None or subject is None:
        return
    what, known, others = (
        ("phase", names.phases, names.faults)
        if condition.relation == "in"
        else (
            "fault",
            names.faults,
            names.phases,
        )
    )
    if subject in known:
        return
    hint = suggestion(subject, known, what=f"{what}s")
    if subject in others:
        hint = (
            f"{subject!r} is a fault: `during {subject}`"
            if what == "phase"
            else f"{subject!r} is a phase: `in {subject}`"
        )
    mistakes.add(mark, f"no {what} is called {subject!r}", hint or f"the scenario has no {what}s")


def _check_where(condition: Condition, names: Names, mark: Mark, mistakes: Mistakes) -> None:
    known = {"stream": names.streams, "method": names.methods, "provider": names.providers}
    for key, value in condition.where:
        if value not in known[key]:
            mistakes.add(
                mark, f"no {key} is called {value!r}", suggestion(value, dict.fromkeys(known[key]), what=f"{key}s")
            )
