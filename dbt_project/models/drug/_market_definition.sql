-- Which classes the business counts as one market; FDA's classes are narrower than the choice that a prescriber has.
-- `route` keeps skin creams out of the inhaler market, `generic` a heart drug out of the skin market.
select
    basket_name::varchar as basket_name,
    pharm_class::varchar as pharm_class,
    route::varchar as route,
    generic::varchar as generic,
    row_number() over ()::integer as priority
from (
    values
    ('Antithrombotics', 'Factor Xa Inhibitor', null, null),
    ('Antithrombotics', 'Direct Thrombin Inhibitor', 'ORAL', null),
    ('Antithrombotics', 'P2Y12 Platelet Inhibitor', 'ORAL', null),
    ('Antithrombotics', 'Vitamin K Antagonist', null, null),
    ('GLP-1 agonists', 'GLP-1 Receptor Agonist', null, null),
    ('Insulins', 'Insulin Analog', null, null),
    ('Insulins', 'Insulin', null, null),
    ('Oral diabetes', 'Sodium-Glucose Cotransporter 2 Inhibitor', null, null),
    ('Oral diabetes', 'Dipeptidyl Peptidase 4 Inhibitor', null, null),
    ('Oral diabetes', 'Biguanide', null, null),
    ('Inhalers', 'Corticosteroid', 'INHALATION', null),
    ('Inhalers', 'beta2-Adrenergic Agonist', 'INHALATION', null),
    ('Inhalers', 'Anticholinergic', 'INHALATION', null),
    -- Incruse Ellipta is filed with the route ORAL.
    ('Inhalers', 'Anticholinergic', 'ORAL', 'umeclidinium'),
    ('Lipids', 'HMG-CoA Reductase Inhibitor', null, null),
    ('Lipids', 'Dietary Cholesterol Absorption Inhibitor', null, null),
    ('Lipids', 'PCSK9 Inhibitor', null, null),
    ('Lipids', 'Bile Acid Sequestrant', null, null),
    ('Migraine', 'Calcitonin Gene-related Peptide Antagonist', null, null),
    ('Migraine', 'Serotonin-1b and Serotonin-1d Receptor Agonist', null, null),
    ('Immunology', 'Tumor Necrosis Factor Blocker', null, null),
    ('Immunology', 'Interleukin-17A Antagonist', null, null),
    ('Immunology', 'Interleukin-23 Antagonist', null, null),
    ('Immunology', 'Interleukin-12 Antagonist', null, null),
    ('Immunology', 'Janus Kinase Inhibitor', null, null),
    ('Immunology', 'Phosphodiesterase 4 Inhibitor', null, 'apremilast')
) as definition (basket_name, pharm_class, route, generic)
