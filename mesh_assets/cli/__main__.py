"""`python -m mesh_assets.cli`, for where the `mesh` script is not on the path."""

from mesh_assets.cli.app import main

if __name__ == "__main__":
    main()
