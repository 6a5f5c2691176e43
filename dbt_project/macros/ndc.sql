{# FDA writes package codes as 4-4-2, 5-3-2 or 5-4-1; claims carry 11 digits, 5-4-2. Padding each part is exact:
   taking the dashes out first would make different packages equal. #}
{% macro ndc11(code) -%}
    lpad(split_part({{ code }}, '-', 1), 5, '0')
    || lpad(split_part({{ code }}, '-', 2), 4, '0')
    || lpad(split_part({{ code }}, '-', 3), 2, '0')
{%- endmacro %}

{# lower_snake form of a brand's name: ORTHO-NOVUM, Ortho Novum -> ortho_novum. #}
{% macro snake(name) -%}
    trim(regexp_replace(lower(strip_accents({{ name }})), '[^a-z0-9]+', '_', 'g'), '_')
{%- endmacro %}
