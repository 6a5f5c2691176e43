"""Which medicine: products, packages, brands, substances, markets."""
