-- A newer directory classes more brands: a supplement that no product needs any more should go.
{{ config(severity='warn') }}
select supplement.generic
from {{ ref('_class_supplement') }} as supplement
anti join {{ ref('market_basket') }} as basket
    on supplement.pharm_class = basket.pharm_class and basket.class_source = 'supplement'
