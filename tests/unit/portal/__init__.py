"""Promises of the portal: what it shows to whom, and that nothing that is written anywhere can hurt it."""
