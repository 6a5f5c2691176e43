"""CMS Open Payments in one layout: general payments, and research payments of three years.

General payments name physicians by a profile number only. Research payments name some of the same profiles,
as recipients or as principal investigators: that is where names and ZIP codes of general payments come from.
"""

from mesh_assets import mesh

YEARS = (2013, 2014, 2015)
INVESTIGATORS = range(1, 6)
DRUG = "Name_of_Associated_Covered_Drug_or_Biological"
NDC = "NDC_of_Associated_Covered_Drug_or_Biological"
PAYER = "Applicable_Manufacturer_or_Applicable_GPO_Making_Payment"
SHARED = f"""
    Record_ID AS record_id,
    Physician_Profile_ID AS physician_profile_id,
    {PAYER}_ID AS manufacturer_id,
    trim({PAYER}_Name) AS manufacturer_name,
    Total_Amount_of_Payment_USDollars::DECIMAL(18, 2) AS amount_usd,
    strptime(Date_of_Payment, '%m/%d/%Y')::DATE AS payment_date,
    Form_of_Payment_or_Transfer_of_Value AS form
"""


@mesh.recipe(inputs=[], sources=["general_payments", "research_2013", "research_2014", "research_2015"])
def _open_payment(run: mesh.Run) -> str:
    return f"""
        WITH research AS ({research()}),
        payment AS ({general_payment()} UNION ALL {research_payment()}),
        profile AS ({profile()})
        SELECT payment.*, profile.first_name, profile.last_name, profile.zip5
        FROM payment
        LEFT JOIN profile USING (physician_profile_id)
        ORDER BY payment.record_id
    """


def research() -> str:
    """The three years below each other, by column name: their order has changed between years elsewhere."""
    return " UNION ALL BY NAME ".join(
        f"SELECT *, {year} AS file_year FROM source.research_{year}" for year in YEARS
    )


def general_payment() -> str:
    return f"""
        SELECT {SHARED}, 'general' AS kind, 'Covered Recipient Physician' AS recipient_type,
            NULL::VARCHAR AS organisation, NULL::VARCHAR AS teaching_hospital_ccn, NULL::VARCHAR AS study,
            Nature_of_Payment_or_Transfer_of_Value AS nature,
            list_filter([{DRUG}1, {DRUG}2], lambda name: name IS NOT NULL) AS drug_names,
            NULL::VARCHAR AS ndc_as_filed
        FROM source.general_payments
    """


def research_payment() -> str:
    """Research has no nature of payment; it is named Research, as CMS does in its summaries."""
    drugs = ", ".join(f"{DRUG}{number}" for number in range(1, 6))
    return f"""
        SELECT {SHARED}, 'research', Covered_Recipient_Type,
            trim(coalesce(Teaching_Hospital_Name, Noncovered_Recipient_Entity_Name)), Teaching_Hospital_CCN,
            trim(Name_of_Study), 'Research',
            list_filter([{drugs}], lambda name: name IS NOT NULL),
            {NDC}1
        FROM research
    """


def profile() -> str:
    """Each profile number with the name and ZIP code that it is told with most often."""
    physician = """
        SELECT Physician_Profile_ID AS physician_profile_id, Physician_First_Name AS first_name,
            Physician_Last_Name AS last_name, Recipient_Zip_Code AS zip
        FROM research
    """
    investigators = " UNION ALL ".join(
        f"""SELECT Principal_Investigator_{number}_Profile_ID, Principal_Investigator_{number}_First_Name,
            Principal_Investigator_{number}_Last_Name, Principal_Investigator_{number}_Zip_Code
            FROM research"""
        for number in INVESTIGATORS
    )
    return f"""
        SELECT physician_profile_id, first_name, last_name, zip5
        FROM (
            SELECT physician_profile_id, upper(strip_accents(trim(first_name))) AS first_name,
                upper(strip_accents(trim(last_name))) AS last_name,
                left(lpad(regexp_replace(zip, '[^0-9]', '', 'g'), 5, '0'), 5) AS zip5, count(*) AS times
            FROM ({physician} UNION ALL {investigators})
            WHERE physician_profile_id IS NOT NULL AND last_name IS NOT NULL
            GROUP BY ALL
        )
        QUALIFY row_number() OVER (
            PARTITION BY physician_profile_id ORDER BY times DESC, last_name, first_name, zip5
        ) = 1
    """
