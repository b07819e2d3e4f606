"""Closed lists of SellApp's documents."""

PENDING, PARTIAL, REVIEW = "PENDING", "PARTIAL", "REVIEW"
PAID, COMPLETED = "PAID", "COMPLETED"
VOIDED, FAILED = "VOIDED", "FAILED"
REFUNDED, REVERSED, DISPUTING = "REFUNDED", "REVERSED", "DISPUTING"

STATUSES = frozenset(
    {
        PENDING,
        PARTIAL,
        REVIEW,
        PAID,
        COMPLETED,
        VOIDED,
        FAILED,
        REFUNDED,
        REVERSED,
        DISPUTING,
    }
)
UNDECIDED = frozenset({PENDING, PARTIAL, REVIEW})
SETTLED = frozenset({PAID, COMPLETED})

COINS = frozenset(
    {
        "BTC",
        "LTC",
        "ETH",
        "XMR",
        "SOL",
        "ADA",
        "BNB",
        "TRX",
        "MATIC",
        "ETH_USDT",
        "ETH_USDC",
        "ETH_UNI",
        "ETH_SHIB",
        "ETH_DAI",
        "BNB_USDT",
        "BNB_USDC",
        "TRX_USDT",
        "TRX_USDC",
        "SOL_USDT",
        "SOL_USDC",
        "BTCPAY",
        "COINBASE",
        "LIFI",
    }
)
MANUAL = frozenset({"CASHAPP", "VENMO", "CUSTOM_PAYMENT_METHOD"})
PAYMENT_METHODS = (
    COINS
    | MANUAL
    | {
        "AUTHNET",
        "MERCADO_PAGO",
        "MOLLIE",
        "NMI",
        "PADDLE",
        "PAYDASH",
        "PAYPAL",
        "PAYSTACK",
        "RAZORPAY",
        "SQUARE",
        "STRIPE",
    }
)
# Trials begin on these processors' pages; with any other there is nothing to authorise.
TRIAL_METHODS = frozenset({"PAYPAL", "RAZORPAY", "STRIPE"})
