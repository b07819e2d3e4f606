"""What the server tells of itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection_pb2 as pb

from service.api import descriptors
from service.api.reflection import SERVICES
from service.api.server import CHECKOUT, HEALTH
from tests.api.served import PATIENCE

SESSION_FILE = "checkout/v1/session.proto"


def ask(
    channel: grpc.Channel,
    *questions: pb.ServerReflectionRequest,
    service: str = SERVICES[0],
) -> list[pb.ServerReflectionResponse]:
    """Put questions on one stream."""
    call: Any = channel.stream_stream(
        f"/{service}/ServerReflectionInfo",
        pb.ServerReflectionRequest.SerializeToString,
        pb.ServerReflectionResponse.FromString,
    )
    return list(call(iter(questions), timeout=PATIENCE))


def files(answer: pb.ServerReflectionResponse) -> dict[str, FileDescriptorProto]:
    """Return the files of an answer by name, in their order."""
    raw = answer.file_descriptor_response.file_descriptor_proto
    found = [FileDescriptorProto.FromString(part) for part in raw]
    return {file.name: file for file in found}


def symbol(name: str) -> pb.ServerReflectionRequest:
    """Ask for the file of a symbol."""
    return pb.ServerReflectionRequest(file_containing_symbol=name)


@pytest.mark.parametrize("service", SERVICES)
def test_services_are_listed(grpc_channel: grpc.Channel, service: str) -> None:
    """Both versions list every service on the port."""
    question = pb.ServerReflectionRequest(list_services="", host="here")
    (answer,) = ask(grpc_channel, question, service=service)
    names = [one.name for one in answer.list_services_response.service]
    assert names == sorted([CHECKOUT, HEALTH, *SERVICES])
    assert (answer.valid_host, answer.original_request) == ("here", question)


def symbols(files: Iterable[FileDescriptorProto]) -> Iterable[tuple[str, str]]:
    """Yield messages, enums, services and methods of our contract with their files."""
    for file in files:
        if file.package != "checkout.v1":
            continue
        yield from ((f"{file.package}.{one.name}", file.name) for one in file.message_type)
        yield from ((f"{file.package}.{one.name}", file.name) for one in file.enum_type)
        for service in file.service:
            yield f"{file.package}.{service.name}", file.name
            for method in service.method:
                yield f"{file.package}.{service.name}.{method.name}", file.name


def test_every_symbol_of_the_contract_is_found(grpc_channel: grpc.Channel) -> None:
    """A symbol leads to its file, which comes first and has its comments."""
    expected = dict(symbols(descriptors.load().file))
    answers = ask(grpc_channel, *map(symbol, expected))
    firsts = [next(iter(files(answer).values())) for answer in answers]
    assert [file.name for file in firsts] == list(expected.values())
    assert all(file.source_code_info.location for file in firsts)
    assert len(expected) > 40


@pytest.mark.parametrize(
    "name",
    [
        "checkout.v1.Session.State",
        "checkout.v1.Session.STATE_OPEN",
        "checkout.v1.Session.checkout_url",
        "checkout.v1.Session.MetadataEntry",
    ],
)
def test_parts_of_a_message_are_found(grpc_channel: grpc.Channel, name: str) -> None:
    """Nested enums, their values, fields and map entries lead to the file of their message."""
    (answer,) = ask(grpc_channel, symbol(name))
    assert next(iter(files(answer))) == SESSION_FILE


@pytest.mark.parametrize(
    "name",
    [
        "google.rpc.ErrorInfo",
        "google.rpc.BadRequest",
        "google.rpc.RetryInfo",
        "google.rpc.ResourceInfo",
        "google.rpc.PreconditionFailure",
        "google.protobuf.Timestamp",
        "grpc.health.v1.Health",
        *SERVICES,
    ],
)
def test_what_is_not_ours_is_found_too(grpc_channel: grpc.Channel, name: str) -> None:
    """Error details and the other services on the port are described."""
    (answer,) = ask(grpc_channel, symbol(name))
    assert next(iter(files(answer).values())).package == name.rpartition(".")[0]


def test_a_file_comes_with_its_imports_once(grpc_channel: grpc.Channel) -> None:
    """Imports follow their file, and are not sent twice on one stream."""
    first, second = ask(
        grpc_channel,
        pb.ServerReflectionRequest(file_by_filename=SESSION_FILE),
        pb.ServerReflectionRequest(file_by_filename=SESSION_FILE),
    )
    sent = files(first)
    assert {name for file in sent.values() for name in file.dependency} <= set(sent)
    assert list(files(second)) == [SESSION_FILE]


def test_extensions_are_found(grpc_channel: grpc.Channel) -> None:
    """The options that mark personal fields and rules can be resolved."""
    extended = "google.protobuf.FieldOptions"
    numbers, file = ask(
        grpc_channel,
        pb.ServerReflectionRequest(all_extension_numbers_of_type=extended),
        pb.ServerReflectionRequest(
            file_containing_extension=pb.ExtensionRequest(
                containing_type=extended, extension_number=51001
            )
        ),
    )
    assert 51001 in numbers.all_extension_numbers_response.extension_number
    assert next(iter(files(file))) == "checkout/v1/privacy.proto"


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (symbol("no.Such"), grpc.StatusCode.NOT_FOUND),
        (pb.ServerReflectionRequest(file_by_filename="no.proto"), grpc.StatusCode.NOT_FOUND),
        (
            pb.ServerReflectionRequest(all_extension_numbers_of_type="no.Such"),
            grpc.StatusCode.NOT_FOUND,
        ),
        (
            pb.ServerReflectionRequest(
                file_containing_extension=pb.ExtensionRequest(
                    containing_type="no.Such", extension_number=1
                )
            ),
            grpc.StatusCode.NOT_FOUND,
        ),
        (pb.ServerReflectionRequest(), grpc.StatusCode.INVALID_ARGUMENT),
    ],
    ids=["symbol", "file", "extended type", "extension", "nothing"],
)
def test_a_vain_question_does_not_end_the_stream(
    grpc_channel: grpc.Channel, question: pb.ServerReflectionRequest, code: grpc.StatusCode
) -> None:
    """What is not there is answered as such, and the next question too."""
    refusal, answer = ask(grpc_channel, question, symbol(CHECKOUT))
    assert refusal.error_response.error_code == code.value[0]
    assert files(answer)
