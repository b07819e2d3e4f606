"""The pages a buyer sees: the checkout form, its outcome, and links that cannot be used."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qsl

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.sandbox.emulator import (
    CheckoutView,
    Emulator,
    Entry,
    EntryInvalid,
    SessionEnded,
    SessionState,
    SessionUnknown,
)
from service.sandbox.page.languages import Language, Languages

FOLDER = Path(__file__).parent
MAX_FORM_SIZE = 64 * 1024
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}


class Pages:
    """Serves the hosted pages of all emulated providers; they need no JavaScript."""

    def __init__(self, emulators: Sequence[Emulator]) -> None:
        self._emulators = {emulator.provider: emulator for emulator in emulators}
        self._languages = Languages()
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._style = (FOLDER / "page.css").read_text(encoding="utf-8")

    def register(self, app: web.Application) -> None:
        """Add the routes of the pages."""
        app.router.add_get("/page.css", self.style)
        for provider in self._emulators:
            session = app.router.add_resource(f"/{provider}/session/{{session_id}}")
            session.add_route("GET", self.show)
            session.add_route("HEAD", self.show)
            session.add_route("POST", self.submit)
            app.router.add_get(f"/{provider}/session/{{session_id}}/result", self.result)

    async def style(self, _: web.Request) -> web.Response:
        """Serve the style sheet."""
        headers = HEADERS | {"Cache-Control": "max-age=300"}
        return web.Response(text=self._style, content_type="text/css", headers=headers)

    async def show(self, request: web.Request) -> web.Response:
        """Show the checkout form, or why there is none."""
        emulator, session_id = self._address(request)
        try:
            view = emulator.checkout(session_id)
        except SessionUnknown:
            return self._unknown(request)
        match view.session.state:
            case SessionState.OPEN:
                return self._form(request, view, view.problems)
            case SessionState.PAID:
                return self._notice(request, view, "used", status=410)
            case SessionState.EXPIRED:
                return self._notice(request, view, "expired", status=410)

    async def submit(self, request: web.Request) -> web.Response:
        """Act on the form: pay, decline, or price it again with a discount code."""
        emulator, session_id = self._address(request)
        posted = await _posted(request)
        entry = _entry(posted)
        try:
            view = emulator.checkout(session_id, entry)
            return self._act(request, emulator, view, entry, posted)
        except SessionUnknown:
            return self._unknown(request)
        except SessionEnded as error:
            if error.state is SessionState.PAID:
                return _see_other(f"{session_id}/result")
            return _see_other(session_id)

    async def result(self, request: web.Request) -> web.Response:
        """Show that the session is paid; until it is, lead back to the form."""
        emulator, session_id = self._address(request)
        try:
            view = emulator.checkout(session_id)
        except SessionUnknown:
            return self._unknown(request)
        if view.session.state is not SessionState.PAID:
            return _see_other(f"../{session_id}")
        return self._notice(request, view, "paid", status=200)

    def _act(
        self,
        request: web.Request,
        emulator: Emulator,
        view: CheckoutView,
        entry: Entry,
        posted: Entry,
    ) -> web.Response:
        session = view.session
        if session.state is not SessionState.OPEN:
            raise SessionEnded(session.state)
        # A form carries the number of attempts it was shown with: sent twice, it acts once.
        if posted.get("attempt") != str(len(session.payments)):
            return _see_other(session.provider_session_id)
        match posted.get("action"):
            case "decline":
                emulator.decline(session.provider_session_id, entry)
                return _see_other(session.provider_session_id)
            case "pay":
                return self._pay(request, emulator, view, entry)
            case _:
                return self._form(request, view, view.problems)

    def _pay(
        self, request: web.Request, emulator: Emulator, view: CheckoutView, entry: Entry
    ) -> web.Response:
        try:
            emulator.pay(view.session.provider_session_id, entry)
        except EntryInvalid as error:
            return self._form(request, view, error.problems, status=422)
        return _see_other(f"{view.session.provider_session_id}/result")

    def _address(self, request: web.Request) -> tuple[Emulator, str]:
        resource = request.match_info.route.resource
        provider = resource.canonical.split("/session/")[0].rsplit("/", 1)[-1] if resource else ""
        return self._emulators[provider], request.match_info["session_id"]

    def _form(
        self,
        request: web.Request,
        view: CheckoutView,
        problems: Mapping[str, str],
        status: int = 200,
    ) -> web.Response:
        return self._page(request, view, "checkout.html", status, problems=problems)

    def _notice(
        self, request: web.Request, view: CheckoutView, kind: str, *, status: int
    ) -> web.Response:
        response = self._page(request, view, f"{kind}.html", status)
        if kind == "paid" and view.is_leaving_at_once and view.leave_url:
            # A redirect in answer to the form would be stopped by form-action of the policy above.
            response.headers["Refresh"] = f"0; url={view.leave_url}"
        return response

    def _unknown(self, request: web.Request) -> web.Response:
        return self._render(request, self._language(request, ""), "unknown.html", 404, {})

    def _page(
        self,
        request: web.Request,
        view: CheckoutView,
        template: str,
        status: int,
        **context: object,
    ) -> web.Response:
        language = self._language(request, view.language)
        return self._render(request, language, template, status, {"view": view, **context})

    def _language(self, request: web.Request, wanted: str) -> Language:
        return self._languages.choose(wanted, request.headers.get("accept-language", ""))

    def _render(
        self,
        request: web.Request,
        language: Language,
        template: str,
        status: int,
        context: Mapping[str, object],
    ) -> web.Response:
        view = context.get("view")
        text = self._templates.get_template(template).render(
            language=language,
            say=language.say,
            theme=view.theme if isinstance(view, CheckoutView) else "system",
            root="../" * _depth(request),
            **context,
        )
        headers = HEADERS | {"Content-Language": language.code, "Vary": "Accept-Language"}
        return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def _depth(request: web.Request) -> int:
    return 3 if request.path.endswith("/result") else 2


async def _posted(request: web.Request) -> Entry:
    body = await request.read()
    if len(body) > MAX_FORM_SIZE:
        raise web.HTTPRequestEntityTooLarge(max_size=MAX_FORM_SIZE, actual_size=len(body))
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


def _entry(posted: Entry) -> Entry:
    controls = {"action", "attempt"}
    return {name: value for name, value in posted.items() if name not in controls}


def _see_other(location: str) -> web.Response:
    return web.Response(status=303, headers=HEADERS | {"Location": location})
