"""One life of a state machine: as many acts as asked, chosen by Hypothesis, the same for one seed."""

from __future__ import annotations

import hypothesis.core
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def live(machine: type[RuleBasedStateMachine], *, seed: int, steps: int) -> None:
    """Let it live; what it finds is raised."""
    one = settings(
        max_examples=1,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    before, hypothesis.core.global_force_seed = hypothesis.core.global_force_seed, seed
    try:
        run_state_machine_as_test(machine, settings=one)
    finally:
        hypothesis.core.global_force_seed = before
