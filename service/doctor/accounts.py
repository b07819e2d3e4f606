"""Checks provider accounts: whether they are reached, take the key, and agree with us on the time."""

from collections.abc import Iterator
from datetime import timedelta

from service.core.capability import Capabilities
from service.core.ports import Clock
from service.doctor.findings import Finding, broken, doubtful, fine
from service.providers.probe import ProbeAnswer, ProbeLost, send
from service.providers.registry import PROVIDERS, build_provider
from service.providers.secrets import SecretUnreadableError
from service.providers.settings import AccountSettings

DOUBTFUL_SKEW = timedelta(seconds=5)
WRONG_SKEW = timedelta(seconds=60)


async def check_account(account: AccountSettings, clock: Clock) -> list[Finding]:
    """Ask the provider of an account something harmless, and judge the answer and its date."""
    subject = f"provider {account.provider}/{account.account}"
    secrets = list(_webhook_secrets(subject, account))
    try:
        probe = PROVIDERS[account.provider].probe(account)
        answer = await send(probe)
    except SecretUnreadableError as error:
        return [broken(subject, f"{error}; mend api_key_file or api_key"), *secrets]
    except ProbeLost as lost:
        mend = "mend the network between, or the account's base_url"
        return [broken(subject, f"cannot be reached: {lost}; {mend}"), *secrets]
    judged = (_judged if probe.tries_key else _reached)(subject, account, answer)
    return [judged, *_clock(subject, answer, clock), *secrets]


def _reached(subject: str, account: AccountSettings, answer: ProbeAnswer) -> Finding:
    if answer.status >= 500:
        return _out_of_order(subject, answer)
    mode = "live" if account.live else "test"
    text = "the key is tried by the first session: nothing harmless needs it"
    return fine(subject, f"is reached, {mode} mode, {answer.seconds * 1000:.0f} ms; {text}")


def _out_of_order(subject: str, answer: ProbeAnswer) -> Finding:
    return broken(subject, f"is out of order ({answer.status}); see its status page and try again")


def _judged(subject: str, account: AccountSettings, answer: ProbeAnswer) -> Finding:
    mode, status = "live" if account.live else "test", answer.status
    if 200 <= status < 300 and answer.is_json:
        return fine(subject, f"takes the key, {mode} mode, {answer.seconds * 1000:.0f} ms")
    if status in {401, 403}:
        return broken(
            subject,
            f"refuses the key ({status}); set api_key_file or api_key to one of the {mode} mode "
            "that may read payments and create checkouts, or correct live",
        )
    if status == 429:
        return doubtful(subject, "asks for fewer requests (429), so the key was not tried; wait")
    if status >= 500:
        return _out_of_order(subject, answer)
    return broken(
        subject, f"gives no answer of this provider ({status}); correct the account's base_url"
    )


def _clock(subject: str, answer: ProbeAnswer, clock: Clock) -> Iterator[Finding]:
    subject = subject.replace("provider", "clock against", 1)
    if answer.date is None:
        yield doubtful(subject, "its answer has no date to compare with; look at NTP yourself")
        return
    # The date was written some time between question and answer, and leaves out the fraction.
    written = answer.date + timedelta(seconds=0.5 + answer.seconds / 2)
    skew = clock.now() - written
    text = f"this machine is {abs(skew.total_seconds()):.0f} s {'ahead' if skew > timedelta() else 'behind'}"
    mend = "synchronise it by NTP: sessions would expire at the wrong time"
    if abs(skew) > WRONG_SKEW:
        yield broken(subject, f"{text}; {mend}, webhooks be refused")
    elif abs(skew) > DOUBTFUL_SKEW:
        yield doubtful(subject, f"{text}; {mend}")
    else:
        yield fine(subject, "agrees within 5 s")


def _webhook_secrets(subject: str, account: AccountSettings) -> Iterator[Finding]:
    subject = subject.replace("provider", "webhooks of", 1)
    path = f"/webhooks/{account.provider}/{account.account}"
    if account.webhook_secrets:
        form = PROVIDERS[account.provider].secret_form
        forms = [form(secret.current()) for secret in account.webhook_secrets]
        usable = f"{len(forms)} usable secret{'s' if len(forms) > 1 else ''} for {path}"
        yield fine(subject, f"{usable}, taken as {' and as '.join(forms)}")
        return
    text, mend = (
        f"without a secret {path} refuses every webhook",
        "set webhook_secret_files or webhook_secrets",
    )
    capabilities = _capabilities(account)
    if capabilities.lists_payments or capabilities.retrieve:
        text = f"{text}, so payments are noticed minutes late, when the provider is asked for them"
        yield doubtful(subject, f"{text}; {mend}")
    else:
        text = f"{text}, and this provider cannot be asked: no payment is ever noticed"
        yield broken(subject, f"{text}; {mend}")


def _capabilities(account: AccountSettings) -> Capabilities:
    # Building it sends nothing and reads no file.
    return build_provider(account, chance=lambda: 0.0, observe=lambda *_: None).capabilities
