from mesh_assets import mesh

defs = mesh.definitions(__file__)
