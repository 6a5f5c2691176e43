{# The folder is the domain, and the domain is the schema: models/drug/brand.sql becomes drug.brand. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or node.fqn[1] }}
{%- endmacro %}
