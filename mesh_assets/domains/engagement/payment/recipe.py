"""Payments to physicians and hospitals, of the ledger and of CMS Open Payments, matched to persons and drugs.

Nothing is deleted. A payment that was probably filed twice says of which other it is the double.
"""

from mesh_assets import mesh

#: The three ways to make eleven digits of ten: 4-4-2, 5-3-2 and 5-4-1, each with its missing zero.
#: Source: FDA, "National Drug Code Directory", on the HIPAA format.
ELEVEN_OF_TEN = (
    "'0' || ndc_digits",
    "left(ndc_digits, 5) || '0' || right(ndc_digits, 5)",
    "left(ndc_digits, 9) || '0' || right(ndc_digits, 1)",
)


@mesh.recipe(
    inputs=["engagement._open_payment", "hcp.hcp_master", "drug.brand", "drug.package"], sources=["payments"]
)
def payment(run: mesh.Run) -> str:
    return f"""
        WITH filed AS ({ledger()} UNION ALL {open_payments()}),
        ndc AS ({ndc_forms()}),
        person AS ({persons_by_name()}),
        doubles AS ({doubles()})
        SELECT
            filed.record_id,
            filed.origin,
            filed.kind,
            filed.payment_date,
            filed.amount_usd,
            coalesce(filed.npi, person.npi) AS npi,
            CASE
                WHEN filed.npi IS NOT NULL THEN 'stated'
                WHEN person.npi IS NOT NULL THEN if(filed.origin = 'ledger', 'name', 'name_zip')
            END AS npi_rule,
            filed.recipient_type,
            filed.physician_profile_id,
            filed.first_name AS recipient_first_name,
            filed.last_name AS recipient_last_name,
            filed.zip5 AS recipient_zip5,
            filed.organisation,
            filed.teaching_hospital_ccn,
            filed.manufacturer_id,
            filed.manufacturer_name,
            filed.drug_name,
            filed.drug_count,
            brand.brand_id,
            filed.ndc_as_filed,
            ndc.ndc11,
            filed.nature,
            filed.form,
            doubles.likely_double_of IS NOT NULL AS is_likely_double,
            doubles.likely_double_of
        FROM filed
        -- The ledger pays people whom the field force knows: a name will do. A stranger needs a place too.
        LEFT JOIN person
            ON filed.npi IS NULL
            AND person.first_name = filed.first_name
            AND person.last_name = filed.last_name
            AND (person.zip5 = filed.zip5 OR (filed.origin = 'ledger' AND person.zip5 IS NULL))
        LEFT JOIN drug.brand AS brand ON brand.brand_name = upper(filed.drug_name)
        LEFT JOIN ndc USING (ndc_as_filed)
        LEFT JOIN doubles USING (record_id)
        ORDER BY filed.record_id
    """


def ledger() -> str:
    return """
        SELECT
            trim(record_id) AS record_id,
            'ledger' AS origin,
            'general' AS kind,
            payment_date::DATE AS payment_date,
            amount_usd::DECIMAL(18, 2) AS amount_usd,
            nullif(trim(recipient_npi), '') AS npi,
            'Covered Recipient Physician' AS recipient_type,
            NULL AS physician_profile_id,
            upper(strip_accents(trim(recipient_first_name))) AS first_name,
            upper(strip_accents(trim(recipient_last_name))) AS last_name,
            NULL AS zip5,
            NULL AS organisation,
            NULL AS teaching_hospital_ccn,
            NULL AS study,
            trim(manufacturer_id) AS manufacturer_id,
            trim(manufacturer_name) AS manufacturer_name,
            nullif(trim(drug_name), '') AS drug_name,
            if(nullif(trim(drug_name), '') IS NULL, 0, 1)::INTEGER AS drug_count,
            nullif(trim(ndc), '') AS ndc_as_filed,
            trim(nature) AS nature,
            trim(form) AS form
        FROM source.payments
    """


def open_payments() -> str:
    return """
        SELECT
            record_id, 'open_payments', kind, payment_date, amount_usd, NULL, recipient_type,
            physician_profile_id, first_name, last_name, zip5, organisation, teaching_hospital_ccn, study,
            manufacturer_id, manufacturer_name,
            trim(drug_names[1]), len(drug_names)::INTEGER, ndc_as_filed, nature, form
        FROM engagement._open_payment
    """


def ndc_forms() -> str:
    """Each NDC as filed, with its eleven digits if they can be told: ten bare digits may be three NDCs."""
    return f"""
        SELECT
            ndc_as_filed,
            CASE
                WHEN ndc_as_filed SIMILAR TO '[0-9]{{4,5}}-[0-9]{{3,4}}-[0-9]{{1,2}}'
                    AND length(ndc_digits) >= 10
                    THEN lpad(split_part(ndc_as_filed, '-', 1), 5, '0')
                        || lpad(split_part(ndc_as_filed, '-', 2), 4, '0')
                        || lpad(split_part(ndc_as_filed, '-', 3), 2, '0')
                WHEN ndc_as_filed SIMILAR TO '[0-9]{{11}}' THEN ndc_as_filed
                WHEN ndc_as_filed SIMILAR TO '[0-9]{{10}}' AND count(DISTINCT package.ndc11) = 1
                    THEN any_value(package.ndc11)
            END AS ndc11
        FROM (
            SELECT ndc_as_filed, ndc_digits, unnest([{", ".join(ELEVEN_OF_TEN)}]) AS candidate
            FROM (
                SELECT DISTINCT ndc_as_filed, regexp_replace(ndc_as_filed, '[^0-9]', '', 'g') AS ndc_digits
                FROM filed
                WHERE ndc_as_filed IS NOT NULL
            )
        )
        LEFT JOIN drug.package AS package ON package.ndc11 = candidate
        GROUP BY ndc_as_filed, ndc_digits
    """


def persons_by_name() -> str:
    """Who a name stands for, where one person alone has it: in a ZIP code, or among all (zip5 null)."""
    return """
        SELECT first_name, last_name, zip5, any_value(npi) AS npi
        FROM (
            SELECT
                npi,
                upper(strip_accents(first_name)) AS first_name,
                upper(strip_accents(last_name)) AS last_name,
                zip5
            FROM hcp.hcp_master
        )
        GROUP BY GROUPING SETS ((first_name, last_name, zip5), (first_name, last_name))
        HAVING count(*) = 1 AND (zip5 IS NOT NULL OR grouping(zip5) = 1)
    """


def doubles() -> str:
    """Same recipient, payer, day, amount, nature and study under several numbers: doubles of the first."""
    return """
        SELECT record_id, first_value(record_id) OVER same AS likely_double_of
        FROM filed
        WINDOW same AS (
            PARTITION BY
                kind, npi, first_name, last_name, physician_profile_id, organisation, manufacturer_id,
                payment_date, amount_usd, nature, study
            ORDER BY length(record_id), record_id
        )
        QUALIFY row_number() OVER same > 1
    """
