"""All domains in one code location: `dagster dev -m mesh_assets.everything`. Production has one each (workspace.yaml)."""

from mesh_assets.capabilities.orchestration.definitions import everything
from mesh_assets.words.settings import read_settings

defs = everything(read_settings())
