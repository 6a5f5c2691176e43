"""Which NPI stands behind each system's own number: by the NPI itself, else by name and place, else none."""

from difflib import SequenceMatcher

import polars as pl

from mesh_assets import mesh

#: Two names of one person in the same ZIP code and specialty are at least this alike.
ALIKE = 0.85
#: Somebody who moved keeps name, state and specialty; this is how far that is trusted.
MOVED = 0.7
COLUMNS = ("source", "source_id", "npi", "rule", "score")


@mesh.recipe(inputs=["hcp._crm_account", "hcp._npi_extract"], sources=[])
def hcp_xref(run: mesh.Run) -> pl.DataFrame:
    return matches(run.read("hcp._crm_account").polars(), run.read("hcp._npi_extract").polars())


def matches(accounts: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """Every number of both systems once; a CRM account is matched by the first rule that finds somebody."""
    registry = persons.select(*told("npi_registry", "npi", "registry", npi="npi"), pl.lit(1.0).alias("score"))
    by_number = match_by_number(accounts, persons)
    numberless = accounts.filter(pl.col("npi").is_null())
    by_name = match_by_name(numberless, persons)
    rest = numberless.join(by_name, left_on="account_id", right_on="source_id", how="anti")
    by_state = match_by_state(rest, persons)
    nobody = rest.join(by_state, left_on="account_id", right_on="source_id", how="anti").select(
        *told("crm", "account_id", "unmatched"), pl.lit(0.0).alias("score")
    )
    tables = (registry, by_number, by_name, by_state, nobody)
    return pl.concat(table.select(COLUMNS) for table in tables).sort("source", "source_id")


def match_by_number(accounts: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """An account that names a well-formed NPI is that person; the registry says how surely."""
    found = accounts.filter(pl.col("npi").is_not_null()).join(
        persons.select("npi", registry_last="last_key", registry_first="first_key"), on="npi", how="left"
    )
    known = pl.col("registry_last").is_not_null()
    same_last = pl.col("registry_last") == pl.col("last_key")
    same_first = pl.col("registry_first") == pl.col("first_key")
    return found.select(
        pl.lit("crm").alias("source"),
        pl.col("account_id").alias("source_id"),
        "npi",
        pl.when(~known)
        .then(pl.lit("npi_unregistered"))
        .when(same_last)
        .then(pl.lit("npi"))
        .otherwise(pl.lit("npi_name_differs"))
        .alias("rule"),
        # People change their last name oftener than both.
        pl.when(~known)
        .then(0.7)
        .when(same_last)
        .then(1.0)
        .when(same_first)
        .then(0.9)
        .otherwise(0.8)
        .alias("score"),
    )


def match_by_name(accounts: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """Same ZIP code and specialty, and the one person whose name is alike; two as good match nobody."""
    pairs = accounts.join(persons, on=["zip5", "specialty"], how="inner", suffix="_registry")
    keys = ("first_key", "last_key", "first_key_registry", "last_key_registry")
    ratios = [name_likeness(*row) for row in pairs.select(pl.col(keys).fill_null("")).iter_rows()]
    scored = pairs.with_columns(pl.Series("score", ratios, dtype=pl.Float64)).filter(pl.col("score") >= ALIKE)
    best = scored.filter(pl.col("score") == pl.col("score").max().over("account_id"))
    return only_candidates(best).select(
        *told("crm", "account_id", "name_zip_specialty", npi="npi_registry"),
        # Never as sure as the number itself.
        (pl.col("score") * 0.95).round(3).alias("score"),
    )


def match_by_state(accounts: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """Same full name, state and specialty: somebody who moved; two such persons match nobody."""
    keys = ["first_key", "last_key", "state", "specialty"]
    pairs = accounts.join(persons, on=keys, how="inner", suffix="_registry")
    return only_candidates(pairs).select(
        *told("crm", "account_id", "name_state_specialty", npi="npi_registry"), pl.lit(MOVED).alias("score")
    )


def only_candidates(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.filter(pl.len().over("account_id") == 1)


def name_likeness(first: str, last: str, other_first: str, other_last: str) -> float:
    """How alike two names are, from 0 to 1: family names weigh 0.6; an initial is nearly the first name."""
    if first == other_first:
        given = 1.0
    elif first and other_first and (first.startswith(other_first) or other_first.startswith(first)):
        given = 0.9
    else:
        given = ratio(first, other_first)
    return 0.6 * ratio(last, other_last) + 0.4 * given


def ratio(one: str, other: str) -> float:
    """Ratcliff and Obershelp's measure, the same either way round."""
    low, high = sorted((one, other))
    return SequenceMatcher(None, low, high, autojunk=False).ratio()


def told(source: str, source_id: str, rule: str, *, npi: str | None = None) -> tuple[pl.Expr, ...]:
    """The columns that say who was matched, and how."""
    return (
        pl.lit(source).alias("source"),
        pl.col(source_id).alias("source_id"),
        (pl.col(npi) if npi else pl.lit(None, dtype=pl.String)).alias("npi"),
        pl.lit(rule).alias("rule"),
    )
