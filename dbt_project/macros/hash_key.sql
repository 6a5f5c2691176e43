{# Data Vault hash key: md5 of the trimmed, upper-case business key, as a number (half the width of its text). #}
{% macro hash_key(column) -%}
    md5_number(upper(trim(cast({{ column }} as varchar))))
{%- endmacro %}

{# Durable surrogate of a dimension: the same business key gets the same number in every rebuild; never negative,
   because -1 is the unknown member. #}
{% macro surrogate_key(dimension, column) -%}
    (md5_number_lower('{{ dimension }}|' || {{ column }}) >> 1)::bigint
{%- endmacro %}
