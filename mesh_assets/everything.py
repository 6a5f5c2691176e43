"""All domains in one code location, for laptops: `mesh dev --one-process`. Production has one each."""

from mesh_assets.capabilities.orchestration.definitions import everything
from mesh_assets.capabilities.orchestration.kitchen_schedules import of_environment
from mesh_assets.words.settings import read_settings

defs = of_environment(everything(read_settings()), read_settings())
