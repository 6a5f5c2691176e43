from mesh_assets import mesh

defs = mesh.journey_definitions(__file__)
