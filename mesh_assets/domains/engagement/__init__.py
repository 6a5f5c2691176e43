"""What the company does with health care professionals: calls, samples and payments."""
