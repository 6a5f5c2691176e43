"""Chance that can be looked up: draws that depend on a row's number and on nothing else.

`draw(i, k)` is stream `k` of row `i`: a Lehmer generator (multiplier 48271, modulus 2^31-1; Park and Miller,
"Another standard", CACM 1993) seeded with the row, squared once between two steps. Without the square, two
streams of one row differ by a constant and neighbouring rows line up. Integer arithmetic only: no hash(),
whose result may change with the engine's version, no pow(), no random().
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

#: Draws are 0 <= draw < MODULUS.
MODULUS = 2_147_483_647

_MACROS = (
    f"CREATE OR REPLACE TEMP MACRO lehmer(a) AS (a * 48271) % {MODULUS}",
    f"CREATE OR REPLACE TEMP MACRO scramble(a) AS lehmer((a * a) % {MODULUS})",
    f"""CREATE OR REPLACE TEMP MACRO draw(i, k) AS
        lehmer(scramble(lehmer((i::BIGINT + 1 + k::BIGINT * 104395301) % {MODULUS})))""",
    # One of `of` values, 0 first. Bias below 1e-5 for `of` up to 20,000.
    "CREATE OR REPLACE TEMP MACRO pick(i, k, of_) AS draw(i, k) % (of_)",
    # True for `permille` of 1,000 rows.
    "CREATE OR REPLACE TEMP MACRO chance(i, k, permille) AS draw(i, k) % 1000 < (permille)",
    "CREATE OR REPLACE TEMP MACRO digit(text_, n) AS substr(text_, n, 1)::INTEGER",
    # A digit doubled as Luhn's formula does it.
    "CREATE OR REPLACE TEMP MACRO twice(n) AS (n * 2) % 10 + (n * 2) // 10",
    # Luhn over 80840 + nine digits: the prefix contributes 24 (NPI Final Rule, 45 CFR 162).
    """CREATE OR REPLACE TEMP MACRO npi_check(nine) AS (10 - (24
        + twice(digit(nine, 1)) + digit(nine, 2) + twice(digit(nine, 3)) + digit(nine, 4)
        + twice(digit(nine, 5)) + digit(nine, 6) + twice(digit(nine, 7)) + digit(nine, 8)
        + twice(digit(nine, 9))) % 10) % 10""",
    # A bijection of 0..99,999,999 scatters neighbours; NPIs that begin with 2 have never been issued.
    """CREATE OR REPLACE TEMP MACRO nine_digits(i) AS
        '2' || lpad((((i::BIGINT) * 73687879 + 20230102) % 100000000)::VARCHAR, 8, '0')""",
    "CREATE OR REPLACE TEMP MACRO npi_of(i) AS nine_digits(i) || npi_check(nine_digits(i))::VARCHAR",
)


def define_streams(con: duckdb.DuckDBPyConnection) -> None:
    """Define the macros on a connection."""
    for macro in _MACROS:
        con.execute(macro)
