"""Closed lists of the Dodo Payments API, as its documents up to SDK 2.52.0 name them."""

COUNTRIES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """.split()
)

CURRENCIES = frozenset(
    """
    AED ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD
    CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ
    GYD HKD HNL HRK HTG HUF IDR ILS INR IQD JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR
    LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR
    PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SLL SOS SRD SSP STN
    SVC SZL THB TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR
    ZMW
    """.split()
)

PAYMENT_METHODS = frozenset(
    """
    ach affirm afterpay_clearpay alfamart ali_pay ali_pay_hk alma amazon_pay apple_pay atome bacs
    bancontact_card bca_bank_transfer becs benefit billie bizum blik bni_va boleto bri_va
    card_redirect cashapp cimb_va classic credit crypto_currency dana danamon_va debit
    direct_carrier_billing duit_now efecty eft eps evoucher family_mart fps gcash giropay givex
    go_pay google_pay ideal indomaret instant_bank_transfer interac kakao_pay klarna knet lawson
    local_bank_redirect local_bank_transfer mandiri_va mb_way mifinity mini_stop mobile_pay momo
    momo_atm multibanco naver_pay online_banking_czech_republic online_banking_finland
    online_banking_fpx online_banking_poland online_banking_slovakia online_banking_thailand
    open_banking_pis open_banking_uk oxxo pago_efectivo pay_bright pay_easy pay_safe_card payco
    paypal paze permata_bank_transfer pix prompt_pay przelewy24 pse red_compra red_pagos revolut_pay
    samsung_pay satispay seicomart sepa sepa_bank_transfer seven_eleven sofort swish touch_n_go
    trustly twint upi_collect upi_intent venmo viet_qr vipps walley we_chat_pay zip
    """.split()
)

LANGUAGES = frozenset(
    """
    ar ca de en es fr he id it ja ka ko ms nl pl pt ro ru sv th tr zh
    """.split()
)

PAYMENT_STATUSES = frozenset(
    """
    cancelled failed partially_captured partially_captured_and_capturable processing
    requires_capture requires_confirmation requires_customer_action requires_merchant_action
    requires_payment_method succeeded
    """.split()
)
