"""Server reflection v1 and v1alpha, answered from the shipped descriptor set.

The stock servicer takes its answers from Python's pool, which keeps neither comments nor JSON names.
"""

# ruff: noqa: ARG002, N802 - gRPC names methods and parameters

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import descriptor_pool, json_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection_pb2 as pb

from service.api.symbols import Symbols

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable

    import grpc.aio
    from google.protobuf.descriptor_pb2 import FileDescriptorSet

_ALPHA, _V1 = "grpc.reflection.v1alpha", "grpc.reflection.v1"
SERVICES = (f"{_V1}.ServerReflection", f"{_ALPHA}.ServerReflection")


class Reflection:
    """Tells clients what is served; both versions differ in nothing but the package's name.

    The files are loaded and indexed for the first who asks: most servers are never asked.
    """

    def __init__(self, *, load: Callable[[], FileDescriptorSet], services: Iterable[str]) -> None:
        self._load = load
        self._services = sorted({*services, *SERVICES})

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve both versions."""
        handler = grpc.stream_stream_rpc_method_handler(
            self.ServerReflectionInfo,
            request_deserializer=pb.ServerReflectionRequest.FromString,
            response_serializer=pb.ServerReflectionResponse.SerializeToString,
        )
        for name in SERVICES:
            methods = {"ServerReflectionInfo": handler}
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, methods),))

    async def ServerReflectionInfo(
        self, requests: AsyncIterable[pb.ServerReflectionRequest], context: object
    ) -> AsyncIterator[pb.ServerReflectionResponse]:
        """Answer each question of a stream; a file is sent once, unless it is asked for."""
        sent: set[str] = set()
        async for request in requests:
            try:
                answer = self._answer(request, sent)
            except KeyError:
                answer = _failure(grpc.StatusCode.NOT_FOUND, "not found")
            answer.valid_host = request.host
            answer.original_request.CopyFrom(request)
            yield answer

    def _answer(
        self, request: pb.ServerReflectionRequest, sent: set[str]
    ) -> pb.ServerReflectionResponse:
        extension = request.file_containing_extension
        match request.WhichOneof("message_request"):
            case "file_by_filename":
                return self._files(request.file_by_filename, sent)
            case "file_containing_symbol":
                return self._files(self._symbols.file_of(request.file_containing_symbol), sent)
            case "file_containing_extension":
                found = self._symbols.file_of_extension(
                    extension.containing_type, extension.extension_number
                )
                return self._files(found, sent)
            case "all_extension_numbers_of_type":
                return self._extensions(request.all_extension_numbers_of_type)
            case "list_services":
                names = [pb.ServiceResponse(name=name) for name in self._services]
                return pb.ServerReflectionResponse(
                    list_services_response=pb.ListServiceResponse(service=names)
                )
            case _:
                return _failure(grpc.StatusCode.INVALID_ARGUMENT, "nothing is asked for")

    @cached_property
    def _symbols(self) -> Symbols:
        return Symbols([*self._load().file, _renamed_to_v1()], pool=descriptor_pool.Default())

    def _files(self, name: str, sent: set[str]) -> pb.ServerReflectionResponse:
        files = self._symbols.with_imports(name)
        needed = [raw for file, raw in files.items() if file == name or file not in sent]
        sent.update(files)
        return pb.ServerReflectionResponse(
            file_descriptor_response=pb.FileDescriptorResponse(file_descriptor_proto=needed)
        )

    def _extensions(self, extended: str) -> pb.ServerReflectionResponse:
        return pb.ServerReflectionResponse(
            all_extension_numbers_response=pb.ExtensionNumberResponse(
                base_type_name=extended, extension_number=self._symbols.extensions_of(extended)
            )
        )


def _failure(code: grpc.StatusCode, message: str) -> pb.ServerReflectionResponse:
    number: Any = code.value[0]
    return pb.ServerReflectionResponse(
        error_response=pb.ErrorResponse(error_code=number, error_message=message)
    )


def _renamed_to_v1() -> FileDescriptorProto:
    # grpcio-reflection ships the descriptors of v1alpha alone.
    alpha = FileDescriptorProto()
    pb.DESCRIPTOR.CopyToProto(alpha)
    text = json_format.MessageToJson(alpha).replace("v1alpha", "v1")
    return json_format.Parse(text, FileDescriptorProto())
