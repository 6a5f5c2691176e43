"""How long the mesh takes to notice, and what looking costs."""
