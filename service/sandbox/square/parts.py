"""The small objects that several request bodies share."""

from service.sandbox.square.enums import COUNTRIES, CURRENCIES
from service.sandbox.square.schema import Fields, Text, Whole

EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
PHONE = r"\+?[0-9][0-9 ().-]*"
# No brackets or odd letters in the host: what a page cannot be sent back to is refused here.
URL = r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#]\S*)?"
PERCENTAGE = r"[0-9]{1,3}(\.[0-9]+)?"
UID_LENGTH = 60

ANY_TEXT = Text()
UID = Text(most=UID_LENGTH, least=1)
CATALOG_ID = Text(most=192, least=1)
CATALOG_VERSION = Whole()
PERCENT = Text(most=10, pattern=PERCENTAGE, code="INVALID_VALUE")

MONEY = Fields(
    takes={"amount": Whole(), "currency": Text(choices=CURRENCIES)},
    needs=("amount", "currency"),
)

ADDRESS = Fields(
    takes={
        **dict.fromkeys(
            (
                "address_line_1",
                "address_line_2",
                "address_line_3",
                "locality",
                "sublocality",
                "sublocality_2",
                "sublocality_3",
                "administrative_district_level_1",
                "administrative_district_level_2",
                "administrative_district_level_3",
                "postal_code",
                "first_name",
                "last_name",
            ),
            ANY_TEXT,
        ),
        "country": Text(choices=COUNTRIES),
    }
)


def email(most: int) -> Text:
    """Describe an e-mail address of limited length."""
    return Text(most=most, pattern=EMAIL, code="INVALID_EMAIL_ADDRESS")


def phone() -> Text:
    """Describe a phone number."""
    return Text(most=17, pattern=PHONE, code="INVALID_PHONE_NUMBER")


def url(most: int) -> Text:
    """Describe an absolute URL of limited length."""
    return Text(most=most, pattern=URL, code="INVALID_VALUE")
