"""Where things are: ZIP codes of the United States, and the sales territories made of them."""
