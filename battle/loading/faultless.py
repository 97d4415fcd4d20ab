"""A scenario without its chaos, for `--no-chaos`."""

from battle.analysis.indicator import indicators
from battle.core.objective import Condition, Unit
from battle.core.scenario import Scenario
from battle.loading.nodes import ListNode, MapNode, Node, at, put


def without_faults(tree: Node, scenario: Scenario) -> tuple[Node, list[str]]:
    """The tree without faults and without what only a fault can be judged by; the notes say what was left out."""
    kept: list[int] = []
    dropped: list[int] = []
    for number, objective in enumerate(scenario.slo):
        (dropped if _about_faults(objective.condition) else kept).append(number)
    slo = at(tree, ("slo",))
    smaller = put(tree, ("chaos",), None)
    if isinstance(slo, ListNode):
        smaller = put(smaller, ("slo",), ListNode(slo.mark, tuple(slo.items[number] for number in kept)))
    elif isinstance(slo, MapNode):
        entries = dict(item for number, item in enumerate(slo.entries.items()) if number in kept)
        smaller = put(smaller, ("slo",), MapNode(slo.mark, entries))
    notes = ["run with --no-chaos: no fault is injected"]
    if dropped:
        texts = "; ".join(scenario.slo[number].objective for number in dropped)
        notes.append(f"left out, since they are about faults: {texts}")
    return smaller, notes


def _about_faults(condition: Condition) -> bool:
    indicator = indicators().get(condition.indicator)
    relative = condition.required.unit is Unit.RELATIVE
    needs_fault = condition.indicator.startswith("failover_time") or (
        indicator is not None and indicator.about == "fault"
    )
    return relative or needs_fault or condition.relation in {"during", "after", "before", "of"}
