"""How fast the portal answers."""
