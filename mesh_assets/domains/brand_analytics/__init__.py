"""How brands do: a star, and brand performance by territory and month."""
