"""Proves which variables decide the outcome of a suite's tests: unchanged twice, then case by case.

The unchanged run is the sealed one. Carries out what ``plan`` says through ``client``, and leaves
to ``compare`` what it means.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from truegreen.config import Config
from truegreen.errors import Unverified
from truegreen.hermetic.prove.client import Collected, ForkServer, NothingCollected
from truegreen.hermetic.prove.compare import (
    Change,
    Judged,
    Leak,
    Outcomes,
    differing,
    judge,
    leaks_of,
    not_run,
)
from truegreen.hermetic.prove.crash import missing_variable
from truegreen.hermetic.prove.orders import COLLECTED, RESULT
from truegreen.hermetic.prove.plan import (
    Case,
    Line,
    Subject,
    adverse_values,
    parts,
    single_cases,
    together,
    too_many,
    witnesses,
)
from truegreen.hermetic.prove.proof import Proof, cut_short
from truegreen.hermetic.prove.suite import Prepare, open_server
from truegreen.hermetic.result import LeakedRead, SessionResult, read_result
from truegreen.hermetic.seal import Sealed

Say = Callable[[str], None]
DATABASE = "DATABASE_URL"
ROUNDS = 8  # modules that cannot be imported without a value are given one, one a round


def prove(
    config: Config,
    prepare: Prepare,
    environ: Mapping[str, str],
    *,
    real: Mapping[str, str],
    say: Say,
    thorough: bool = False,
    jobs: int | None = None,
) -> Proof:
    """Proves the suite ``smoke.paths`` of ``config``.

    ``prepare``: gives the suite what the release phase gives it.
    ``real``: values that the target platform really has. ``thorough``: never screen cases together.
    ``jobs``: runs at a time (default: one a processor, at most 4). Raises Unverified when there are
    no tests, or pytest cannot be run.
    """
    began = time.monotonic()
    jobs = jobs or min(4, os.cpu_count() or 1)
    assumed: dict[str, str | None] = {}
    found: list[Leak] = []
    runs = 0
    for _ in range(ROUNDS):
        with open_server(config, prepare, environ, assumed) as (server, sealed):
            prover = _Prover(config, server, sealed, real, say, thorough, jobs, set(assumed))
            try:
                proof = prover.prove()
            except NothingCollected as crash:
                lacking = missing_variable(server, crash, assumed, prover.values_of)
                runs += server.runs
                if lacking is None and not found:
                    raise
                proof = cut_short(crash.message)
                if lacking is None:
                    break
                leak, value = lacking
                found.append(leak)
                assumed[leak.variable] = value
                say(f"collected only with {leak.variable}: proving what follows with it")
                continue
            except Unverified as problem:
                if not found:
                    raise
                proof = cut_short(problem.message)
                break
            runs += server.runs
        needed = _imports_with(proof)
        if not needed:
            found += proof.leaks
            break
        found += [leak for leak in proof.leaks if leak.variable in needed]
        assumed.update(needed)
        say("imported only with " + ", ".join(sorted(needed)) + ": proving what follows with it")
    return Proof(
        leaks=tuple(found),
        harmless=proof.harmless,
        flaky=proof.flaky,
        unknown=proof.unknown,
        pins={**{k: v for k, v in assumed.items() if v is not None}, **proof.pins},
        tests=proof.tests,
        cases=proof.cases,
        runs=runs,
        method=proof.method,
        seconds=time.monotonic() - began,
    )


@dataclass(slots=True)
class _Prover:
    config: Config
    server: ForkServer
    sealed: Sealed
    real: Mapping[str, str]
    say: Say
    thorough: bool
    jobs: int
    assumed: set[str]
    unchanged: Outcomes = field(default_factory=dict)
    tests: tuple[str, ...] = ()
    flaky: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    controls: dict[tuple[tuple[str, ...], bool], Outcomes] = field(default_factory=dict)

    def prove(self) -> Proof:
        began = time.monotonic()
        collected = self.server.collect()
        subjects = self._unchanged_runs(collected)
        values = {one.variable: self.values_of(one.variable) for one in subjects}
        cases = single_cases(subjects, values, self.tests)
        grouped = not self.thorough and too_many(cases)
        method = "screened together" if grouped else "each case alone"
        self.say(
            f"{len(collected.tests)} tests read {len(subjects)} variables that are not pinned: "
            f"{len(cases)} cases, {method}"
        )
        suspected = self._screened(subjects, cases) if grouped else self._alone(cases)
        for case, suspects in suspected:
            self._confirm(case, suspects)
        leaks = leaks_of(subjects, self.changes)
        leaking = {leak.variable for leak in leaks}
        return Proof(
            leaks=leaks,
            harmless=tuple(s.variable for s in subjects if s.variable not in leaking),
            flaky=tuple(sorted(self.flaky)),
            unknown=tuple(self.unknown),
            pins=self._pins(subjects, values),
            tests=len(collected.tests),
            cases=len(cases),
            runs=self.server.runs,
            method=method,
            seconds=time.monotonic() - began,
        )

    def values_of(self, variable: str) -> tuple[str | None, ...]:
        declared = self.config.flags.declared.get(variable)
        return adverse_values(variable, None, declared, self.real)

    def _unchanged_runs(self, collected: Collected) -> tuple[Subject, ...]:
        """Runs the suite twice, and reads from the first what it reads."""
        cold = collected.threads > 1
        everything = Case({}, collected.tests, cold, recorded=True)
        first, second = self.server.run(
            [everything, replace(everything, recorded=False)], self.jobs
        )
        modules = tuple(test for test in first.outcomes if test.endswith(".py"))
        if not collected.tests and not any(first.outcomes[m].state == "error" for m in modules):
            raise Unverified(
                "the suite has no tests: nothing could be proved", hint=self.server.tail()
            )
        result = read_result(first.folder / RESULT)
        if not cold and result is not None and self._keeps_the_database(result):
            # what was imported holds on to the collecting process's: from before the import, then
            cold, everything = True, replace(everything, cold=True)
            first, second = self.server.run([everything, everything], self.jobs)
            result = read_result(first.folder / RESULT)
        if result is None:
            raise Unverified("the unchanged run came to no result", hint=self.server.tail())
        known = (*modules, *collected.tests)
        if differing(first.outcomes, second.outcomes, known) and self.jobs > 1:
            # it may be that two of them at a time are one too many: then nothing is
            self.jobs = 1
            first, second = self.server.run([everything, everything])
            result = read_result(first.folder / RESULT) or result
        self.flaky |= set(differing(first.outcomes, second.outcomes, known))
        lost = not_run(first.outcomes, collected.tests)
        if lost:
            self.unknown.append(
                f"{len(lost)} tests were not run in the unchanged run, {lost[0]} the first"
            )
        self.unchanged = first.outcomes
        self.tests = tuple(t for t in known if t not in self.flaky and t not in lost)
        working = [t for t in collected.tests if first.outcomes[t].state == "passed"] if not lost \
            else [t for t in self.tests if first.outcomes[t].state == "passed"]  # fmt: skip
        broken = [m for m in modules if first.outcomes[m].state == "error"]
        if not working:
            self.unknown.append("not one test passes in the unchanged run")
        for module in broken:
            self.unknown.append(
                f"{module} cannot be imported in the unchanged run: "
                f"{first.outcomes[module].message}"
            )
        return self._subjects(result.leaks, cold)

    def _keeps_the_database(self, result: SessionResult) -> bool:
        """Whether the seal's scratch database was read, and so may be kept, at import."""
        smoke = self.config.smoke
        ours = smoke.scratch != "none" and DATABASE not in {*smoke.env, *smoke.pass_env}
        early = ("import", "collection")
        return ours and any(one.variable == DATABASE and one.phase in early for one in result.reads)

    def _subjects(self, leaks: Sequence[LeakedRead], cold: bool) -> tuple[Subject, ...]:
        by_name: dict[str, list[LeakedRead]] = {}
        for leak in leaks:
            named = leak.variable not in self.sealed.pinned and not leak.variable.endswith("*")
            if named and leak.variable not in self.assumed:
                by_name.setdefault(leak.variable, []).append(leak)
        found: list[Subject] = []
        for name, reads in by_name.items():
            early = cold or any(one.phase in ("import", "collection") for one in reads)
            # A list of tests that was cut, or is empty, is no list: any test may be meant.
            whole = all(one.tests and one.test_count <= len(one.tests) for one in reads)
            named_tests = {test for one in reads for test in one.tests}
            tests = tuple(t for t in self.tests if not whole or t in named_tests)
            lines = tuple(dict.fromkeys(Line(one.file, one.line) for one in reads))
            found.append(Subject(name, lines, tests, early))
        return tuple(found)

    def _alone(self, cases: Sequence[Case]) -> list[tuple[Case, tuple[str, ...]]]:
        """Each case in a process of its own; in several where processors would be idle."""
        apart = [parts(case, self.jobs // max(1, len(cases))) for case in cases]
        ran = iter(self.server.run([part for one in apart for part in one], self.jobs))
        found = []
        for case, pieces in zip(cases, apart, strict=True):
            suspects: tuple[str, ...] = ()
            lost = False
            for part in pieces:
                one = next(ran)
                suspects += differing(self.unchanged, one.outcomes, part.tests)
                lost |= one.timed_out or bool(not_run(one.outcomes, self._items(part.tests)))
            if suspects:
                found.append((case, suspects))
            elif lost:
                self._lost(case)
        return found

    def _screened(
        self, subjects: Sequence[Subject], cases: Sequence[Case]
    ) -> list[tuple[Case, tuple[str, ...]]]:
        """Cases together; where that changes a test, its culprits are looked for, taken out, and
        the rest is run again, since one failure hides others."""
        by_value = {next(iter(case.values.items())): case for case in cases}
        shown = {one.variable: witnesses(one) for one in subjects}
        sampled = [
            Case(case.values, shown[name], cold=False)
            for (name, _), case in by_value.items()
            if not case.cold
        ]
        blamed: dict[tuple[str, str | None], Case] = {}
        for case, ran in zip(sampled, self.server.run(sampled, self.jobs), strict=True):
            if differing(self.unchanged, ran.outcomes, case.tests):
                (key,) = case.values.items()
                blamed[key] = by_value[key]
        layers = [*together(cases)]
        while layers:
            layers = [self._without(layer, blamed, by_value) for layer in layers]
            layers = [layer for layer in layers if layer.values]
            ran_layers = self.server.run(layers, self.jobs)
            again: list[Case] = []
            for layer, ran in zip(layers, ran_layers, strict=True):
                suspects = differing(self.unchanged, ran.outcomes, layer.tests)
                if not suspects:
                    if ran.timed_out or not_run(ran.outcomes, self._items(layer.tests)):
                        self._lost(layer)
                    continue
                for key in self._culprits(layer, suspects[0], by_value):
                    blamed[key] = by_value[key]
                again.append(layer)
            layers = again
        return self._alone(list(blamed.values()))

    def _without(
        self,
        layer: Case,
        blamed: Mapping[tuple[str, str | None], Case],
        by_value: Mapping[tuple[str, str | None], Case],
    ) -> Case:
        values = {
            name: value for name, value in layer.values.items() if (name, value) not in blamed
        }
        read = {test for item in values.items() for test in by_value[item].tests}
        return Case(values, tuple(test for test in layer.tests if test in read), layer.cold)

    def _culprits(
        self, layer: Case, witness: str, by_value: Mapping[tuple[str, str | None], Case]
    ) -> list[tuple[str, str | None]]:
        """Those of the layer's values that change the witness. Where only several together do, all
        of them are named."""
        items = [item for item in layer.values.items() if witness in by_value[item].tests]
        while len(items) > 1:
            half = len(items) // 2
            parts = [items[:half], items[half:]]
            tried = [Case(dict(part), (witness,), layer.cold) for part in parts]
            ran = self.server.run(tried, self.jobs)
            hit = [
                part
                for part, one in zip(parts, ran, strict=True)
                if differing(self.unchanged, one.outcomes, (witness,))
            ]
            if not hit:
                break
            items = hit[0]
        return items

    def _confirm(self, case: Case, suspects: tuple[str, ...]) -> None:
        """Once more, one after the other, with a control: what depends on luck, on the order of
        tests or on a neighbour is set apart instead of being blamed on the variable."""
        judged = self._judged(case, suspects, suspects)
        if judged.flaky and len(suspects) < len(case.tests):
            # taken out of their surroundings they may do something else: all of them, then
            judged = self._judged(case, suspects, case.tests)
        self.flaky |= set(judged.flaky)
        ((variable, value),) = case.values.items()
        self.changes += [
            Change(variable, value, test, self.unchanged[test], judged.again[test])
            for test in judged.proven
        ]
        if not_run(judged.again, self._items(suspects)):
            self._lost(case)

    def _judged(self, case: Case, suspects: tuple[str, ...], tests: tuple[str, ...]) -> Judged:
        key = (tests, case.cold)
        if key not in self.controls:
            (control,) = self.server.run([Case({}, tests, case.cold)])
            self.controls[key] = control.outcomes
        (again,) = self.server.run([Case(case.values, tests, case.cold)])
        return judge(suspects, self.unchanged, self.controls[key], again.outcomes)

    def _lost(self, case: Case) -> None:
        shown = ", ".join(sorted(case.values))
        self.unknown.append(f"a run with other values of {shown} ended before its tests did")

    def _items(self, tests: Sequence[str]) -> tuple[str, ...]:
        return tuple(test for test in tests if not test.endswith(".py"))

    def _pins(
        self, subjects: Sequence[Subject], values: Mapping[str, tuple[str | None, ...]]
    ) -> dict[str, str]:
        """For each variable the value nearest to being absent that changes nothing."""
        bad = {(change.variable, change.value) for change in self.changes}
        found: dict[str, str] = {}
        for subject in subjects:
            flag = self.config.flags.declared.get(subject.variable)
            wanted = [str(int(flag.default is True))] if flag and flag.type == "bool" else \
                [str(flag.default)] if flag else []  # fmt: skip
            tried = [v for v in values[subject.variable] if v is not None]
            good = [v for v in (*wanted, "0", "", *tried) if v in tried]
            value = next((v for v in good if (subject.variable, v) not in bad), None)
            if value is not None:
                found[subject.variable] = value
        return found


def _imports_with(proof: Proof) -> dict[str, str]:
    """For each variable without which a module cannot be imported a value with which the import
    succeeds, or at least comes to something else that is missing."""
    found: dict[str, str] = {}
    for leak in proof.leaks:
        further: list[str] = []
        for change in leak.changes:
            if change.unchanged.state != "error" or change.value is None:
                continue
            if not change.test.endswith(".py"):
                continue
            if change.changed.state == COLLECTED:
                found[change.variable] = change.value
                break
            if leak.variable not in change.changed.message:
                further.append(change.value)
        else:
            if further:
                found[leak.variable] = further[0]
    return found
