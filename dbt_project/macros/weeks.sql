{# The weeks of this run as SQL literals: '2023-01-02'::date, '2023-01-09'::date, … #}
{% macro weeks() -%}
    {%- for week in week_keys() -%}
        '{{ week }}'::date{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# `week_start in (…)`, or the plain range when every week is built: 104 literals read badly in a plan. #}
{% macro in_weeks(column) -%}
    {%- if var("weeks") -%}
        {{ column }} in ({{ weeks() }})
    {%- else -%}
        {{ column }} between '{{ var("first_week") }}'::date and '{{ var("until_week") }}'::date - 7
    {%- endif -%}
{%- endmacro %}

{# Monday of a date: the partition key of every weekly product. #}
{% macro week_of(column) -%}
    date_trunc('week', {{ column }})::date
{%- endmacro %}

{# A partition reads the drops of its own week and of the late_weeks after it, and no others: so a week that is
   built alone equals the same week built together with all others. #}
{% macro in_late_window(load_date, week_start) -%}
    {{ load_date }} between {{ week_start }} and {{ week_start }} + {{ 7 * (var("late_weeks") | int) }}
{%- endmacro %}

{% macro week_keys() -%}
    {%- set keys = var("weeks") or _mondays(var("first_week"), var("until_week")) -%}
    {%- for key in keys if not modules.re.match("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", key | string) -%}
        {{ exceptions.raise_compiler_error("var weeks: '" ~ key ~ "' is not a Monday as YYYY-MM-DD") }}
    {%- endfor -%}
    {{ return(keys) }}
{%- endmacro %}

{% macro _mondays(first, until) -%}
    {%- set start = modules.datetime.date.fromisoformat(first) -%}
    {%- set days = (modules.datetime.date.fromisoformat(until) - start).days -%}
    {%- set keys = [] -%}
    {%- for week in range(0, days, 7) -%}
        {%- do keys.append((start + modules.datetime.timedelta(days=week)).isoformat()) -%}
    {%- endfor -%}
    {{ return(keys) }}
{%- endmacro %}
