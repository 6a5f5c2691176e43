-- Classes that the directory of 2019 had not yet assigned; used only for products that it gives no class at all.
select
    generic::varchar as generic,
    pharm_class::varchar as pharm_class
from (
    values
    ('dabigatran', 'Direct Thrombin Inhibitor'),
    ('ertugliflozin', 'Sodium-Glucose Cotransporter 2 Inhibitor'),
    ('erenumab', 'Calcitonin Gene-related Peptide Antagonist'),
    ('fremanezumab', 'Calcitonin Gene-related Peptide Antagonist'),
    ('galcanezumab', 'Calcitonin Gene-related Peptide Antagonist'),
    ('adalimumab', 'Tumor Necrosis Factor Blocker')
) as supplement (generic, pharm_class)
