"""The queue of runs, shared fairly between domains: one team's backfill does not starve the others.

Dagster limits runs by a tag's value (`tag_concurrency_limits` in dagster.yaml), and a run from the UI, a
backfill or a sensor need not carry one. Here every run that is queued gets its domain's tag. A lake's own
pool (`<domain>_lake`, one at a time) stands on each product's step besides.
"""

from __future__ import annotations

from dagster import DagsterRun
from dagster._core.run_coordinator import SubmitRunContext
from dagster._core.run_coordinator.queued_run_coordinator import QueuedRunCoordinator

from mesh_assets.capabilities.orchestration.launcher import WarmRunLauncher

DOMAIN_TAG = "mesh/domain"


class DomainQueue(QueuedRunCoordinator):
    """Dagster's own queue; a run knows its domain before it waits."""

    @property
    def dequeue_interval_seconds(self) -> int:
        """Asked for once, by the daemon as it starts: it is about to launch runs."""
        if isinstance(self._instance.run_launcher, WarmRunLauncher):
            self._instance.run_launcher.warm_up()
        return super().dequeue_interval_seconds

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        run = context.dagster_run
        if DOMAIN_TAG not in run.tags and (domain := domain_of(run)):
            self._instance.add_run_tags(run.run_id, {DOMAIN_TAG: domain})
        return super().submit_run(context)


def domain_of(run: DagsterRun) -> str:
    """The domain of what the run makes, if that is one; else its code location, "" if nothing says."""
    domains = {key.path[0] for key in run.asset_selection or () if len(key.path) > 1}
    if len(domains) == 1:
        return domains.pop()
    if run.remote_job_origin is None:
        return ""
    return run.remote_job_origin.repository_origin.code_location_origin.location_name
