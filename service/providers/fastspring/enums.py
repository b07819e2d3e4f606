"""Closed lists of FastSpring's reference of v2 sessions."""

# developer.fastspring.com/reference/createsession
CURRENCIES = frozenset(
    (
        "AED ARS AUD BRL CAD CHF CLP CNY COP CZK DKK EUR GBP HKD HUF IDR INR JPY KRW MXN MYR NOK NZD "
        "PEN PHP PLN RUB SAR SEK SGD THB TRY TWD USD VND ZAR"
    ).split()
)
LANGUAGES = frozenset("ar cs da de en es fi fr hr it iw ja ko nl no pl pt ru sk sv tr zh".split())
# The list also has UNKNOWN, which no request can mean.
PAYMENT_METHODS = frozenset(
    (
        "ACH ALIPAY AMAZON APPLE_PAY CARD GOOGLE_PAY IDEAL KAKAOPAY KLARNA MERCADO_PAGO PAYPAL PIX "
        "PURCHASE_ORDER QUOTE SEPA TOSS UPI WECHAT_PAY WIRE"
    ).split()
)
