"""Checks between the parts: what refers to what, and who can do what."""

from collections.abc import Iterator
from itertools import islice

from battle.analysis.plan import MOST_OCCURRENCES
from battle.core.ports.fault import Fault, RandomTarget
from battle.core.scenario import Scenario, Stream, phase_names
from battle.core.units import format_duration
from battle.loading.mistakes import Mistakes, suggestion
from battle.loading.names_known import Names
from battle.loading.nodes import Mark, Node, at, key_place, place
from battle.loading.validation import Validated

_DONE_BY = {
    "Killable": ("killed", "kept by battle as a process, such as mock"),
    "Pausable": ("paused", "kept by battle as a process, such as mock"),
    "Faultable": ("made to answer differently", "run by battle, such as mock"),
}


def check_parts(valid: Validated, names: Names, mistakes: Mistakes) -> list[str]:
    """Note every mistake between setup, workload and chaos; gives remarks that are no mistakes."""
    scenario, tree = valid.scenario, valid.tree
    if scenario is None:
        return []
    for name, stream in scenario.workload.items():
        _check_phases(name, stream, tree, mistakes)
    notes = [note for name, stream in scenario.workload.items() for note in _check_tls(name, stream, valid, mistakes)]
    for name, fault in scenario.chaos.items():
        checks = _Faults(scenario, tree, names, mistakes)
        checks.check_targets(name, fault)
        if fault.after is not None:
            checks.check_after(name, fault)
        if scenario.workload and not valid.left_out & {"workload", "chaos"}:
            checks.check_times(name, fault)
    return [*notes, *_check_setup(scenario, tree, names, mistakes)]


def _check_tls(name: str, stream: Stream, valid: Validated, mistakes: Mistakes) -> Iterator[str]:
    scenario = valid.scenario
    if stream.tls is None or scenario is None or "setup" in valid.left_out:
        return
    if not scenario.setup.proxy.serves_tls:
        said = f"{name} has `tls`, and the load reaches the proxy without TLS"
        mistakes.add(key_place(valid.tree, ("workload", name, "tls")), said, "`tls` is for a proxy with an https URL")
    elif stream.tls.insecure:
        yield f"{name} does not check the server's certificate (insecure: true): it may talk to anybody"


def _check_setup(scenario: Scenario, tree: Node, names: Names, mistakes: Mistakes) -> list[str]:
    proxy, notes = scenario.setup.proxy, []
    proxy_left_out = names.has_proxy and at(tree, ("setup", "proxy")) is None
    if not names.providers and proxy.kind != "url" and not proxy_left_out:
        mistakes.add(
            key_place(tree, ("setup",)),
            f"no providers, and the proxy {proxy.kind!r} needs at least one",
            "write `providers: {alpha: {kind: mock}}`, or aim at what already runs: `proxy: {kind: url, url: …}`",
        )
    for key in proxy.not_honoured():
        said = f"not honoured: a proxy of kind {proxy.kind!r} cannot carry out {key!r}"
        if scenario.setup.strict:
            mistakes.add(key_place(tree, ("setup", "proxy", key)), said, "remove it, or `strict: true`")
        else:
            notes.append(said)
    return notes


def _check_phases(name: str, stream: Stream, tree: Node, mistakes: Mistakes) -> None:
    seen: set[str] = set()
    for index, phase in enumerate(phase_names(stream)):
        if phase in seen:
            path = ("workload", name, "load", index, "name")
            mistakes.add(place(tree, path), f"two phases of {name!r} are called {phase!r}", "name them apart")
        seen.add(phase)


class _Faults:
    """Checks of one fault against everything else."""

    def __init__(self, scenario: Scenario, tree: Node, names: Names, mistakes: Mistakes) -> None:
        self._scenario, self._tree, self._names, self._mistakes = scenario, tree, names, mistakes

    def check_targets(self, name: str, fault: Fault) -> None:
        for target, mark in self._targets(name, fault):
            self._check_target(fault, target, mark)

    def check_times(self, name: str, fault: Fault) -> None:
        self._check_end_of(name, fault)
        end_ns = self._scenario.load_ns - self._scenario.warmup_ns
        left_ns = max(0, end_ns - (fault.at or 0))
        if len(list(islice(fault.occurrences(left_ns), MOST_OCCURRENCES + 1))) > MOST_OCCURRENCES:
            said = f"{name!r} would come more than {MOST_OCCURRENCES:,} times"
            self._mistakes.add(key_place(self._tree, ("chaos", name)), said, "let it come less often")
        if fault.at is not None and fault.at >= end_ns:
            self._mistakes.add(
                place(self._tree, ("chaos", name, "at")),
                f"{name!r} would start at {format_duration(fault.at)}, and the load ends at {format_duration(end_ns)}",
                "times count from the end of the warm-up",
            )

    def _targets(self, name: str, fault: Fault) -> list[tuple[str, Mark]]:
        path = ("chaos", name, "target")
        if isinstance(fault.target, str):
            return [(fault.target, place(self._tree, path))]
        if isinstance(fault.target, RandomTarget):
            if fault.target.random > len(self._names.providers):
                count = len(self._names.providers)
                self._mistakes.add(
                    place(self._tree, path), f"{fault.target.random} random targets of {count} provider(s)"
                )
            return [("all", place(self._tree, path))]
        if not fault.target:
            self._mistakes.add(place(self._tree, path), "'target' is empty", "a fault needs somebody to disturb")
        for index, target in enumerate(fault.target):
            if target in fault.target[:index]:
                self._mistakes.add(place(self._tree, (*path, index)), f"the target {target!r} is named twice")
        return [(target, place(self._tree, (*path, index))) for index, target in enumerate(fault.target)]

    def _check_target(self, fault: Fault, target: str, mark: Mark) -> None:
        if target == "proxy" or fault.aims_at_proxy:
            if target == "proxy" and not fault.aims_at_proxy:
                self._mistakes.add(mark, f"{fault.kind!r} cannot be done to the proxy", "target a provider")
            elif target != "proxy":
                self._mistakes.add(mark, f"{fault.kind!r} is done to the proxy", "write `target: proxy`")
            return
        if target != "all" and target not in self._names.providers:
            hint = suggestion(target, dict.fromkeys([*self._names.providers, "all"]), what="targets")
            self._mistakes.add(mark, f"no provider is called {target!r}", hint)
            return
        for name in self._names.providers if target == "all" else [target]:
            provider = self._scenario.setup.providers.get(name)
            if provider and fault.needs is not object and fault.needs not in provider.abilities:
                done, who = _DONE_BY.get(fault.needs.__name__, (f"a target of {fault.kind!r}", "of another kind"))
                article = "an" if provider.kind[0] in "aeio" else "a"
                said = f"{name} is {article} {provider.kind} provider, which cannot be {done}"
                self._mistakes.add(mark, said, f"{fault.kind!r} needs a provider {who}")

    def check_after(self, name: str, fault: Fault) -> None:
        mark = place(self._tree, ("chaos", name, "after"))
        others = [other for other in self._names.faults if other != name]
        if fault.after not in self._names.faults:
            self._mistakes.add(
                mark, f"no fault is called {fault.after!r}", suggestion(str(fault.after), others, what="faults")
            )
            return
        chain = [name]
        earlier: str | None = fault.after
        while earlier is not None and earlier not in chain:
            chain.append(earlier)
            following = self._scenario.chaos.get(earlier)
            earlier = following.after if following else None
        if earlier == name:
            self._mistakes.add(mark, f"{' waits for '.join([*chain, name])}: none of them ever starts")

    def _check_end_of(self, name: str, fault: Fault) -> None:
        before = self._scenario.chaos.get(fault.after or "")
        mark = place(self._tree, ("chaos", name, "after"))
        if before and next(iter(before.occurrences(0))).for_ns is None:
            said = f"{name!r} waits for the end of {fault.after!r}, which lasts to the end of the load"
            self._mistakes.add(mark, said, f"give {fault.after!r} a `for`")
