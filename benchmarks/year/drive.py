"""Driving the mesh through a script: files are dropped, sensors are asked as the daemon asks them, what they
request is run by Dagster in this process, alerts are looked at and delivered over HTTP.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

import dagster as dg

from benchmarks.year.clock import Clock
from benchmarks.year.mesh import HOOK, PRODUCTS
from benchmarks.year.script import SALE, Action, Week, drop_text, warm_up
from mesh_assets.capabilities.lineage.read import read_domain_assets, read_mesh
from mesh_assets.capabilities.observability.alert_rules import read_alerts
from mesh_assets.capabilities.observability.alerts import look_and_tell
from mesh_assets.capabilities.orchestration.definitions import domain_definitions
from mesh_assets.capabilities.orchestration.partitions import range_tags
from mesh_assets.capabilities.registry import Registry
from mesh_assets.capabilities.upkeep.expiry import expire
from mesh_assets.words.names import product_name
from tests.receivers import Receiver
from tests.shop import Shop

#: Between two looks of everything; what is in between is looked at when it happens.
GRID = timedelta(hours=12)
UPKEEP = timedelta(weeks=4)
#: A sensor that asks again and again would go on for ever.
MOST_ROUNDS = 30


@dataclass
class Done:
    """What was seen from outside while the year went by."""

    runs: int = 0
    failed_runs: int = 0
    ticks: int = 0
    looks: int = 0
    expired: int = 0
    #: Run keys that were asked for, as often as they were.
    asked: list[str] = field(default_factory=list)


@dataclass
class Location:
    """A code location: definitions of one domain, and where its sensors have read to."""

    name: str
    definitions: dg.Definitions
    cursors: dict[str, str | None] = field(default_factory=dict)

    @property
    def sensors(self) -> list[dg.SensorDefinition]:
        return [each for each in self.definitions.sensors or () if isinstance(each, dg.SensorDefinition)]


@dataclass
class Year:
    mesh: Shop
    registry: Registry
    clock: Clock
    instance: dg.DagsterInstance
    receiver: Receiver
    done: Done = field(default_factory=Done)
    locations: list[Location] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = self.mesh.settings
        names = list(dict.fromkeys(product_name(each).domain for each in PRODUCTS))
        self.locations = [Location(name, domain_definitions(name, settings)) for name in names]
        os.environ[HOOK] = self.receiver.url

    def begin(self, seed: int) -> None:
        """Weeks before the year, all at once."""
        chance = Random(seed)
        for week in warm_up():
            self._drop(f"{week}.csv", drop_text(week, chance))
        self.clock.on(minutes=5)
        self._settle()

    def go(self, script: Sequence[Week]) -> None:
        upkeep = self.clock.now
        for moment, actions in _moments(script, self.clock.now):
            self.clock.at(moment)
            for action in actions:
                self._act(action)
                self.clock.on(minutes=2)
                self._settle()
                self._look()
            if not actions:
                self._settle()
                self._look()
            if self.clock.now - upkeep >= UPKEEP:
                upkeep = self.clock.now
                self._keep_up()

    def _act(self, action: Action) -> None:
        match action.what:
            case "drop":
                self._drop(f"{action.week}.csv", action.text)
            case "copy":
                self._drop(f"{action.week} (1).csv", action.text)
            case "break":
                (self.mesh.root / "fail_sale").touch()
            case "mend":
                (self.mesh.root / "fail_sale").unlink()
                self._by_hand(action.week)
            case "pause":
                self.registry.pause("facts", "stocktaking", "ann")
            case "resume":
                self.registry.resume("facts", "ann")
            case "receiver down":
                self.receiver.answers = [503] * 10_000
            case "receiver up":
                self.receiver.answers = []

    def _drop(self, file: str, text: str) -> None:
        """Under a hidden name first, as a good sender does."""
        folder = self.mesh.root / "sources" / "till" / "fills"
        folder.mkdir(parents=True, exist_ok=True)
        hidden = folder / f".{file}"
        hidden.write_text(text, encoding="utf-8")
        moment = self.clock.now.timestamp()
        os.utime(hidden, (moment, moment))
        hidden.rename(folder / file)

    def _by_hand(self, week: date) -> None:
        """A person materializes the week whose recipe failed, in the UI."""
        location = next(each for each in self.locations if each.name == "facts")
        assets = read_domain_assets(self.mesh.settings, "facts").assets
        keys = [str(week - timedelta(weeks=n)) for n in (3, 0)]
        request = dg.RunRequest(
            asset_selection=[dg.AssetKey(SALE.split("."))],
            tags={"mesh/domain": "facts", "user": "ann", **range_tags(self.instance, assets, keys)},
        )
        self._run(location, request)

    def _settle(self) -> None:
        """Ticks of all sensors until none asks for anything."""
        for _ in range(MOST_ROUNDS):
            asked = [self._tick(location) for location in self.locations]
            if not any(asked):
                return
            self.clock.on(seconds=5)
        raise AssertionError(f"the sensors still ask after {MOST_ROUNDS} rounds at {self.clock.now}")

    def _tick(self, location: Location) -> bool:
        """One tick of a domain's sensors; what they ask for is run, each key once, as Dagster does."""
        requests: list[dg.RunRequest] = []
        for sensor in location.sensors:
            self.done.ticks += 1
            with dg.build_sensor_context(
                instance=self.instance,
                cursor=location.cursors.get(sensor.name),
                definitions=location.definitions,
                sensor_name=sensor.name,
            ) as context:
                found = sensor(context)
            if isinstance(found, dg.SensorResult):
                location.cursors[sensor.name] = found.cursor
                requests += [self._known(each) for each in found.run_requests or ()]
                for each in found.run_requests or ():
                    self._run(location, each)
        return bool(requests)

    def _known(self, request: dg.RunRequest) -> dg.RunRequest:
        self.done.asked.append(str(request.run_key))
        return request

    def _run(self, location: Location, request: dg.RunRequest) -> None:
        job = location.definitions.resolve_implicit_global_asset_job_def()
        done = job.execute_in_process(
            instance=self.instance,
            asset_selection=list(request.asset_selection or ()),
            tags=dict(request.tags),
            raise_on_error=False,
        )
        self.done.runs += 1
        self.done.failed_runs += not done.success
        self.clock.on(seconds=1)

    def _look(self) -> None:
        self.done.looks += 1
        settings = self.mesh.settings
        look_and_tell(settings, self.registry, read_alerts(settings), now=self.clock.now)

    def _keep_up(self) -> None:
        settings = self.mesh.settings
        mesh = read_mesh(settings)
        done = expire(settings, self.registry, mesh.assets.values(), who="upkeep", now=self.clock.now)
        self.done.expired += len(done.versions)


def _moments(script: Sequence[Week], begin: datetime) -> Iterator[tuple[datetime, list[Action]]]:
    """Every twelve hours, and whenever something happens; until the evening of the last drop."""
    end = script[-1].due + timedelta(hours=12)
    actions: dict[datetime, list[Action]] = {}
    for week in script:
        for each in week.actions:
            actions.setdefault(each.at, []).append(each)
    grid = datetime.combine(begin.date() + timedelta(days=1), datetime.min.time(), UTC)
    while grid < end:
        # A minute past: at the very moment of a deadline it is not over yet.
        actions.setdefault(grid + timedelta(minutes=1), [])
        grid += GRID
    yield from sorted((at, found) for at, found in actions.items())
