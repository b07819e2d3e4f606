"""Closed lists of FastSpring's reference of v2 sessions."""

# developer.fastspring.com/reference/createsession, read in November 2026.
CURRENCIES = frozenset(
    (
        "AED ARS AUD BRL CAD CHF CLP CNY COP CZK DKK EUR GBP HKD HUF IDR INR JPY KRW MXN MYR NOK "
        "NZD PEN PHP PLN RUB SAR SEK SGD THB TRY TWD USD VND ZAR"
    ).split()
)
LANGUAGES = frozenset("ar cs da de es en fi fr hr it iw ja ko nl no pl pt ru sk sv tr zh".split())
METHODS = tuple(
    (
        "ACH ALIPAY AMAZON APPLE_PAY CARD GOOGLE_PAY IDEAL KAKAOPAY KLARNA MERCADO_PAGO PAYPAL PIX "
        "SEPA TOSS UPI WECHAT_PAY WIRE QUOTE PURCHASE_ORDER UNKNOWN"
    ).split()
)
SHIP_TO_TYPES = frozenset({"GIFT_PURCHASE", "SHIP_TO", "SAME_AS_BILL_TO"})
BEHAVIORS = frozenset({"ALLOW", "LOCK", "HIDE"})
UNITS = frozenset({"DAY", "WEEK", "MONTH", "YEAR", "ON_DEMAND"})
ONE_TIME, PLAN = "ONE_TIME", "SUBSCRIPTION_PLAN"
TAX_IN_PRICE, TAX_ADDED = "TAXES_INCLUDED_IN_PRICE", "TAXES_ADDED_TO_PRICE"
