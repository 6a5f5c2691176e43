"""How a preview thins out what it reads: by a day, by a share, or both."""

from __future__ import annotations

import re
from datetime import date

from mesh_assets.words.kitchens import SampleMalformed

_SHARE = re.compile(r"^(\d{1,3}(?:\.\d{1,4})?)%$")


def sample_of(since: str, sample: str) -> str:
    """What a kitchen's record says: `since 2024-01-01`, `5%`, or both with a comma; "" for all rows."""
    parts = []
    if since:
        try:
            parts.append(f"since {date.fromisoformat(since)}")
        except ValueError:
            raise SampleMalformed(
                option="--since", text=since, problem="write a day, e.g. 2024-01-01"
            ) from None
    if sample:
        found = _SHARE.match(sample)
        if found is None or not 0 < float(found[1]) < 100:
            raise SampleMalformed(
                option="--sample", text=sample, problem="write a share above 0% and below 100%, e.g. 5%"
            )
        parts.append(sample)
    return ", ".join(parts)
