"""What a newcomer is told when the service starts with its sandbox."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_BODY = '{"provider":"dodo","cart":{"line_items":[{"product_id":"pdt_demo","quantity":1}]}}'
_ID = '{"session_id":"cs_..."}'
_CHECKOUT = "checkout.v1.CheckoutService"
_SANDBOX = "checkout.sandbox.v1.SandboxService"


def welcome(*, grpc: str, web: str, api_token: str, providers: Iterable[str]) -> str:
    """Return the addresses and a first create that works as pasted."""
    return f"""
Checkout is running with its sandbox: no account is needed, no money moves.

  gRPC        {grpc}
  web         http://{web}   (/metrics, /livez, /readyz, /webhooks/{{provider}}/{{account}})
  sandbox     http://{web}/sandbox/{{provider}}   ({", ".join(providers)})   API token: {api_token}

In a second terminal, in this folder, create a session:

  {create_command(grpc)}

Open its checkoutUrl in a browser and pay, or pay without one, by the sessionId of the answer:

  {command(grpc, f"{_SANDBOX}/PaySession", _ID)}

Then read it:

  {command(grpc, f"{_CHECKOUT}/GetSession", _ID)}

Stop with Ctrl-C.
"""


def create_command(grpc: str) -> str:
    """Return a command that creates a first session."""
    return command(grpc, f"{_CHECKOUT}/CreateSession", _BODY)


def command(grpc: str, method: str, body: str) -> str:
    """Return a shell command that calls a method, by grpcurl where it is, else by buf."""
    grpcurl, buf = _tool("grpcurl"), _tool("buf")
    if grpcurl and platform.machine() == "x86_64":
        return f"{grpcurl} -plaintext -d '{body}' {grpc} {method}"
    if buf:
        return (
            f"{buf} curl --protocol grpc --http2-prior-knowledge -d '{body}' http://{grpc}/{method}"
        )
    return f"grpcurl -plaintext -d '{body}' {grpc} {method}"


def _tool(name: str) -> str:
    path = Path(sys.executable).parent / name
    if not path.exists():
        return ""
    try:
        shown = path.relative_to(Path.cwd())
    except ValueError:
        shown = path
    return f".{os.sep}{shown}" if len(shown.parts) == 1 else str(shown)
