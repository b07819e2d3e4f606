"""The barest server of one answer, as one of any number of processes at a port."""

import sys
from pathlib import Path
from typing import Any

import grpc.aio
import uvloop

from checkout.v1 import checkout_service_pb2 as pb

_SERVICE, _METHOD = "checkout.v1.CheckoutService", "GetSession"


async def main(answer: pb.GetSessionResponse, port: int) -> None:
    """Serve until the process is ended; port 0 leaves the choice to the system."""

    async def get(
        _request: pb.GetSessionRequest, _context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> pb.GetSessionResponse:
        return answer

    server = grpc.aio.server(options=[("grpc.so_reuseport", 1)])
    handler: grpc.RpcMethodHandler[Any, Any] = grpc.unary_unary_rpc_method_handler(
        get, pb.GetSessionRequest.FromString, pb.GetSessionResponse.SerializeToString
    )
    generic = grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: handler})
    server.add_generic_rpc_handlers((generic,))
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    sys.stdout.write(f"127.0.0.1:{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    session, chosen = sys.argv[1:]
    uvloop.run(main(pb.GetSessionResponse.FromString(Path(session).read_bytes()), int(chosen)))
