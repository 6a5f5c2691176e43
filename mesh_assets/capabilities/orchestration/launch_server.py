"""Runs that Dagster's server starts in the code locations of their domains, through its GraphQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.capabilities.orchestration.launch import ORDER_TAG, Child, Launch
from mesh_assets.capabilities.orchestration.partitions import RANGE_END, RANGE_START, range_tags
from mesh_assets.capabilities.orchestration.server import Server
from mesh_assets.capabilities.publishing.code import who
from mesh_assets.words.orders import NoServer, ServerRefused
from mesh_assets.words.partitions import FILE
from mesh_assets.words.settings import Settings

Answer = TypeVar("Answer")

#: Seconds in which a server that went away may come back; an order that gives up can be resumed.
PATIENCE = 60
#: Seconds that runs have to end after they were told to.
STOPPING = 20

LOCATIONS = """{ workspaceOrError { __typename ... on PythonError { message } ... on Workspace {
  locationEntries { name loadStatus locationOrLoadError { __typename
    ... on PythonError { message }
    ... on RepositoryLocation { repositories { name assetNodes {
      assetKey { path } isMaterializable } } } } } } } }"""
LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on RunConfigValidationInvalid { errors { message } }
  ... on Error { message } } }"""
STATUS = "query($run: ID!) { runOrError(runId: $run) { __typename ... on Run { status } } }"
FIND = """query($tags: [ExecutionTag!]!) { runsOrError(filter: {tags: $tags}) { __typename
  ... on Runs { results { runId status tags { key value } } } } }"""
STOP = """mutation($runs: [String!]!, $how: TerminateRunPolicy!) {
  terminateRuns(runIds: $runs, terminatePolicy: $how) { __typename } }"""
OVER = ("SUCCESS", "FAILURE", "CANCELED")


@dataclass(frozen=True)
class _Location:
    name: str
    repository: str


class RunsOnServer:
    """A launcher: `launchRun` of the asset job in each domain's own code location."""

    def __init__(self, server: Server, settings: Settings) -> None:
        self.where = server.url
        self._settings = settings
        self._server = server
        self._locations: dict[str, _Location] | None = None
        self._broken: dict[str, str] = {}

    def why_not(self, domain: str) -> str | None:
        """The import error of a location that does not load; looked at again while a domain is missing."""
        if self._locations is None or domain not in self._locations:
            self._look()
        if domain in (self._locations or {}):
            return None
        if domain in self._broken:
            return f"its code location does not load: {self._broken[domain]}"
        also = "".join(f"; {name} does not load: {why}" for name, why in sorted(self._broken.items()))
        return f"no code location of {self.where} has the domain {domain}{also}"

    def new_run(self, launch: Launch) -> str:
        return ""  # the server numbers its runs; the order's tag finds them again

    def start(self, launch: Launch, run_id: str) -> Child:
        self.why_not(launch.domain)
        place = (self._locations or {})[launch.domain]
        params = {
            "selector": {
                "jobName": "__ASSET_JOB",
                "repositoryName": place.repository,
                "repositoryLocationName": place.name,
                "assetSelection": [{"path": asset.split("/")} for asset in launch.assets],
            },
            "mode": "default",
            "executionMetadata": {"tags": self._tags(launch)},
        }
        found = self._server.ask(LAUNCH, params=params)["launchRun"]
        if found["__typename"] != "LaunchRunSuccess":
            told = found.get("message") or "; ".join(each["message"] for each in found.get("errors", ()))
            raise ServerRefused(url=self.where, why=f"{launch.domain}: {told or found['__typename']}")
        number = str(found["run"]["runId"])
        return Child(number, launch.domain, list(launch.names), f"{self.where}/runs/{number}")

    def find(self, order_id: str, run_id: str, domain: str) -> Child | None:
        tags = [{"key": ORDER_TAG, "value": order_id}, {"key": "mesh/domain", "value": domain}]
        found = self._patiently(lambda: self._server.ask(FIND, tags=tags))["runsOrError"]
        for run in found.get("results", ()):
            if run["status"] not in OVER:
                return Child(str(run["runId"]), domain, [], f"{self.where}/runs/{run['runId']}")
        return None

    def ended(self, child: Child) -> str | None:
        found = self._patiently(lambda: self._server.ask(STATUS, run=child.run_id))["runOrError"]
        status = found.get("status")
        if status is None:
            return "its run is gone from Dagster's records"
        return f"its run ended as {status}" if status in OVER else None

    def stop(self, children: Sequence[Child]) -> None:
        ids = [each.run_id for each in children]
        if not ids:
            return
        try:
            self._server.ask(STOP, runs=ids, how="SAFE_TERMINATE")
            until = time.monotonic() + STOPPING
            while time.monotonic() < until:
                ids = [each.run_id for each in children if self.ended(each) is None]
                if not ids:
                    return
                time.sleep(0.5)
            self._server.ask(STOP, runs=ids, how="MARK_AS_CANCELED_IMMEDIATELY")
        except (OSError, ServerRefused, NoServer):
            return  # what cannot be reached cannot be stopped; `--resume` finds such runs again

    def close(self) -> None:
        return

    def _tags(self, launch: Launch) -> list[Mapping[str, Any]]:
        tags = {**launch.tags, "user": who(), **self._range(launch)}
        return [{"key": key, "value": value} for key, value in tags.items()]

    def _range(self, launch: Launch) -> dict[str, str]:
        """Files have an order of their own in Dagster: the instance of this home has it."""
        if not launch.partitions:
            return {}
        domain = read_domain_assets(self._settings, launch.domain)
        assets = [asset for asset in domain.assets if asset.name in launch.names]
        if not any(asset.partitioning and asset.partitioning.every == FILE for asset in assets):
            return {RANGE_START: launch.partitions[0], RANGE_END: launch.partitions[-1]}
        with open_instance(self._settings) as instance:
            return range_tags(instance, assets, launch.partitions)

    def _look(self) -> None:
        found = self._patiently(lambda: self._server.ask(LOCATIONS))["workspaceOrError"]
        self._locations, self._broken = {}, {}
        for entry in found.get("locationEntries", ()):
            what = entry["locationOrLoadError"] or {}
            if what.get("__typename") != "RepositoryLocation":
                said = str(what.get("message") or f"it is {entry['loadStatus'].lower()}").strip()
                self._broken[entry["name"]] = said.splitlines()[-1] if len(said) > 400 else said
                continue
            for repository in what["repositories"]:
                place = _Location(entry["name"], repository["name"])
                made = [each for each in repository["assetNodes"] if each["isMaterializable"]]
                for domain in {each["assetKey"]["path"][0] for each in made}:
                    self._locations.setdefault(domain, place)

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        """A server that is restarted is away for some seconds; its runs are not."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return ask()
            except OSError as error:
                if time.monotonic() > until:
                    told = f"it has not answered for {PATIENCE} s ({getattr(error, 'reason', error)})"
                    raise NoServer(url=self.where, why=told) from None
                time.sleep(1)
