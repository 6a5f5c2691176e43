{# The months of this run as SQL literals: '2023-01-01'::date, '2023-02-01'::date, … #}
{% macro months() -%}
    {%- for month in month_keys() -%}
        '{{ month }}'::date{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# `month in (…)`, or the plain range when every month is built. #}
{% macro in_months(column) -%}
    {%- if var("months") -%}
        {{ column }} in ({{ months() }})
    {%- else -%}
        {{ column }} >= '{{ var("first_month") }}'::date and {{ column }} < '{{ var("until_month") }}'::date
    {%- endif -%}
{%- endmacro %}

{# First day of the month of a date: the partition key of every monthly product. #}
{% macro month_of(column) -%}
    date_trunc('month', {{ column }})::date
{%- endmacro %}

{% macro month_keys() -%}
    {%- set keys = var("months") or _firsts(var("first_month"), var("until_month")) -%}
    {%- for key in keys if not modules.re.match("^[0-9]{4}-[0-9]{2}-01$", key | string) -%}
        {{ exceptions.raise_compiler_error("var months: '" ~ key ~ "' is not the first of a month as YYYY-MM-01") }}
    {%- endfor -%}
    {{ return(keys) }}
{%- endmacro %}

{% macro _firsts(first, until) -%}
    {%- set start = modules.datetime.date.fromisoformat(first) -%}
    {%- set end = modules.datetime.date.fromisoformat(until) -%}
    {%- set keys = [] -%}
    {%- for month in range(start.year * 12 + start.month - 1, end.year * 12 + end.month - 1) -%}
        {%- do keys.append("%04d-%02d-01" | format(month // 12, month % 12 + 1)) -%}
    {%- endfor -%}
    {{ return(keys) }}
{%- endmacro %}
