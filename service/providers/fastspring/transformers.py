"""From FastSpring's JSON of a session to the model: pure, with the tables of its words."""

from collections.abc import Iterable, Iterator, Mapping

from service.core.model import CreateRequest, SessionWarning, Totals, TotalsSource
from service.core.ports import ProviderSession
from service.providers.answers import converted, decoder, lenient
from service.providers.fastspring import payloads
from service.providers.fastspring.amounts import Figures
from service.providers.fastspring.fields import our_field, personal
from service.providers.fastspring.orders import inexact_warnings
from service.providers.fastspring.reading import each, moment, text
from service.providers.pages import is_page
from service.providers.text import readable, redacted, said

SESSION = decoder(payloads.WholeSession)
PAGE_DOMAIN = "onfastspring.com"
TAX_IN_PRICE = "TAXES_INCLUDED_IN_PRICE"
NOT_LIVE = "CHECKOUT_NOT_LIVE"
# Final at FastSpring though nobody paid; OPEN and what is being decided have no warning.
ENDED = frozenset({"CANCELLED", "EXPIRED", "FAILED"})
KNOWN = ENDED | {"COMPLETED", "OPEN", "PENDING_ORDER"}


def created(
    body: object, request: CreateRequest, origins: Iterable[str], *, live: bool
) -> ProviderSession:
    """Read the answer to a create that asked for a mode. Raises ValueError when it is unusable."""
    answer = session_of(body)
    url = (answer.checkout_urls and answer.checkout_urls.webcheckout_url) or ""
    if url and not is_page(url, (PAGE_DOMAIN,), origins):
        raise ValueError("foreign_checkout_url")
    told = list(_told(answer, request))
    if not url:
        told.append(
            SessionWarning("NO_CHECKOUT_URL", message="FastSpring gave the session no page")
        )
    if answer.live is not None and answer.live is not live and NOT_LIVE not in _codes(told):
        told.append(_other_mode(answer.live))
    return _session(answer, url=url, warnings=tuple(told))


def session_of(body: object) -> payloads.Session:
    """Read a session. Raises ValueError when it is unusable."""
    answer = converted(body, payloads.Session)
    if not answer.id:
        raise ValueError("no_session_id")
    return answer


def retrieved(answer: payloads.Session) -> ProviderSession:
    """Build what a session that was read says; its order is read elsewhere."""
    return _session(answer, url="", warnings=tuple(_status_warnings(answer.status)))


def _session(
    answer: payloads.Session, *, url: str, warnings: tuple[SessionWarning, ...]
) -> ProviderSession:
    figures = Figures(answer.currency)
    cart = lenient(answer.cart, payloads.Cart)
    totals = _totals(cart, figures) if cart else None
    details = _details(answer, cart or payloads.Cart(), figures)
    return ProviderSession(
        provider_session_id=answer.id or "",
        url=url,
        payable_until=moment(answer.expires),
        totals=totals,
        live=answer.live,
        warnings=(*warnings, *inexact_warnings(figures)),
        details=details,
    )


def _told(answer: payloads.Session, request: CreateRequest) -> Iterator[SessionWarning]:
    warnings = each(answer.warnings, payloads.Warned)
    hidden = (*personal(request), *_texts(answer.customer)) if warnings else ()
    for warned in warnings:
        theirs = readable(warned.field or "", 128)
        yield SessionWarning(
            readable(warned.code or "", 64) or "FASTSPRING",
            field=our_field(theirs, request) or theirs,
            message=readable(redacted(warned.message or "", hidden)),
        )


def _codes(warnings: Iterable[SessionWarning]) -> set[str]:
    return {warning.code for warning in warnings}


def _other_mode(live: bool) -> SessionWarning:  # noqa: FBT001 - the provider's word
    mode = "a live" if live else "a test"
    message = f"FastSpring made it {mode} session, whatever was asked for"
    return SessionWarning(NOT_LIVE, field="provider_options.fastspring.live", message=message)


def _status_warnings(status: str | None) -> Iterator[SessionWarning]:
    if status in ENDED:
        message = f"FastSpring says {status}: its page takes no payment any more"
        yield SessionWarning("PROVIDER_SESSION_ENDED", message=message)
    elif status not in KNOWN:
        message = f"status {readable(status or '', 64)!r} of FastSpring's session is unknown"
        yield SessionWarning("UNKNOWN_SESSION_STATUS", message=message)


def _totals(cart: payloads.Cart, figures: Figures) -> Totals | None:
    is_tax_in_price = cart.tax_included == TAX_IN_PRICE
    subtotal = cart.with_tax_list_total if is_tax_in_price else cart.without_tax_list_total
    total = cart.with_tax_net_total
    if total is None and is_tax_in_price:
        # Without a word on taxes the net total could be either sum.
        total = cart.net_total
    if total is None:
        return None
    due = figures.money("withTaxNetTotal", total)
    if due is None:
        return None
    return Totals(
        source=TotalsSource.PROVIDER,
        subtotal=figures.money("listTotal", cart.list_total if subtotal is None else subtotal),
        discount=figures.money("discountTotal", cart.discount_total),
        tax=figures.money("taxTotal", cart.tax_total),
        total=due,
    )


def _details(
    answer: payloads.Session, cart: payloads.Cart, figures: Figures
) -> Mapping[str, object]:
    customer = lenient(answer.customer, payloads.SessionCustomer)
    saved = customer and customer.saved_payment_method
    made = moment(answer.created)
    return said(
        create_time=made and made.isoformat().replace("+00:00", "Z"),
        country=answer.country,
        locale=answer.locale,
        checkout_statuses=_statuses(answer.checkout_status),
        tax_included=cart.tax_included == TAX_IN_PRICE,
        tax_percentage="" if cart.tax_rate is None else f"{cart.tax_rate:f}",
        discount_code_applied=cart.coupon_has_applied if cart.coupon_code else None,
        discount_code_amount=figures.told("couponDiscountTotal", cart.coupon_discount_total),
        product_discount_amount=figures.told("productDiscountTotal", cart.product_discount_total),
        saved_payment_method=saved and said(type=saved.payment_method_type, display=saved.display),
        line_items=[_line(line, figures) for line in cart.line_items or ()],
    )


def _statuses(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [readable(status, 64) for status in map(text, values) if status]


def _line(line: payloads.Line, figures: Figures) -> Mapping[str, object]:
    price = line.price or payloads.Price()
    told = figures.told
    return said(
        product_id=line.product_path,
        product_type=line.product_type,
        product_format=line.product_format,
        unit_list_price=told("unit_list_price", price.unit_list_price),
        unit_net_price=told("unit_net_price", price.unit_net_price),
        list_total=told("list_total", price.extended_list_total),
        discount_total=told("discount_total", price.extended_total_discount),
        net_total=told("net_total", price.extended_net_total),
        tax_total=told("tax_total", price.extended_tax_total),
        tax_percentage="" if price.tax_percent is None else f"{price.tax_percent:f}",
        tax_included=price.tax_included in (True, TAX_IN_PRICE),
        tax_exempt=price.tax_exempt is True,
        removable=line.removable is True,
    )


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
