"""Generates the descriptor sets and the Python stubs from the proto files next to it.

Run by the interpreter of the stub environment: the compiler pinned there decides which runtimes
can import the stubs.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClassesForFiles

PROTO = Path(__file__).resolve().parent
GENERATED = PROTO.parent / "generated"
IMPORT_ROOT = "checkout"
RULES = "buf/validate/validate.proto"

# Clients resolve status details by name, so their types travel with the contract.
ERROR_DETAILS = ("google/rpc/error_details.proto", "google/rpc/status.proto")

PACKAGES = {
    "": "Generated messages, clients and servicer bases of the checkout contract.",
    "v1": "The checkout service, version 1.",
    "sandbox": "The service of the sandbox.",
    "sandbox/v1": "The service of the sandbox, version 1.",
}


def main() -> None:
    """Generate everything below the output folder and remove what is no longer generated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, default=PROTO, help="folder of the proto files")
    parser.add_argument("--output", type=Path, default=GENERATED, help="folder to generate into")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        generate(arguments.source, scratch)
        for part in ("descriptors", f"python/{IMPORT_ROOT}"):
            replace_tree(scratch / part, arguments.output / part)


def generate(source: Path, output: Path) -> None:
    """Write both descriptor sets and the Python package below an empty folder."""
    names = sorted(path.relative_to(source).as_posix() for path in source.rglob("*.proto"))
    rules = rules_descriptors()
    full = compile_sources(source, names, rules)
    write(output / "descriptors" / "checkout.binpb", encode(full))
    write(output / "descriptors" / "checkout-plain.binpb", encode(without_rules(full, rules)))
    compile_python(without_rules_import(full), names, output / "python")


def rules_descriptors() -> FileDescriptorSet:
    """Read the descriptors of the validation rules out of the installed protovalidate."""
    found: dict[str, FileDescriptorProto] = {}

    def collect(file: Any) -> None:
        for dependency in file.dependencies:
            collect(dependency)
        found[file.name] = FileDescriptorProto.FromString(file.proto.to_binary())

    collect(import_module("protovalidate._gen.buf.validate.validate_pb")._DESC)
    return FileDescriptorSet(file=found.values())


def compile_sources(source: Path, names: list[str], rules: FileDescriptorSet) -> FileDescriptorSet:
    """Compile the sources to one set that holds every import and every comment."""
    googleapis = distribution("googleapis-common-protos").locate_file("")
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "compiled.binpb"
        write(imports := Path(folder) / "rules.binpb", encode(rules))
        protoc(
            f"-I{source}",
            f"-I{googleapis}",
            f"--descriptor_set_in={imports}",
            "--include_imports",
            "--include_source_info",
            f"--descriptor_set_out={result}",
            *names,
            *ERROR_DETAILS,
        )
        return FileDescriptorSet.FromString(result.read_bytes())


def compile_python(files: FileDescriptorSet, names: list[str], output: Path) -> None:
    """Generate messages, stubs and their types, with a package file in every folder."""
    with tempfile.TemporaryDirectory() as folder:
        write(stripped := Path(folder) / "stripped.binpb", encode(files))
        output.mkdir(parents=True)
        plugins = Path(sys.executable).parent
        protoc(
            f"--descriptor_set_in={stripped}",
            f"--plugin={plugins / 'protoc-gen-mypy'}",
            f"--python_out={output}",
            f"--mypy_out=quiet:{output}",
            *names,
        )
        protoc(
            f"--descriptor_set_in={stripped}",
            f"--plugin={plugins / 'protoc-gen-mypy_grpc'}",
            f"--grpc_python_out={output}",
            f"--mypy_grpc_out=quiet:{output}",
            *[file.name for file in files.file if file.name in names and file.service],
        )
    for package, docstring in PACKAGES.items():
        if (root := output / IMPORT_ROOT / package).is_dir():
            write(root / "__init__.py", f'"""{docstring}"""\n'.encode())
    write(output / IMPORT_ROOT / "py.typed", b"")


def without_rules(files: FileDescriptorSet, rules: FileDescriptorSet) -> FileDescriptorSet:
    """Copy a set without the validation rules, for compilers that do not know their options."""
    pool = DescriptorPool()
    for file in rules.file:
        pool.Add(file)
    known = GetMessageClassesForFiles(["google/protobuf/descriptor.proto", RULES], pool)
    copy = known["google.protobuf.FileDescriptorSet"].FromString(encode(files))
    dropped = set()
    for message in list(messages(copy)):
        for field, _ in message.ListFields():
            if field.is_extension:
                message.ClearExtension(cast(Any, field))
                dropped.add(field.number)
    plain = without_rules_import(FileDescriptorSet.FromString(encode(copy)))
    kept = [file for file in plain.file if file.name != RULES]
    for file in kept:
        remarks = file.source_code_info
        remaining = [at for at in remarks.location if dropped.isdisjoint(at.path)]
        del remarks.location[:]
        remarks.location.extend(remaining)
    return FileDescriptorSet(file=kept)


def messages(root: Message) -> Iterator[Message]:
    """Yield a message and everything inside it."""
    yield root
    for field, value in root.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE and not field.is_extension:
            for child in value if field.is_repeated else [value]:
                yield from messages(child)


def without_rules_import(files: FileDescriptorSet) -> FileDescriptorSet:
    """Copy a set whose files keep the bytes of their rules but import nothing for them.

    The stubs then need no generated buf package, and cannot clash with the one of a caller.
    """
    copy = FileDescriptorSet.FromString(encode(files))
    for file in copy.file:
        if file.public_dependency or file.weak_dependency:
            raise SystemExit(f"{file.name}: public and weak imports are not supported")
        remaining = [name for name in file.dependency if name != RULES]
        del file.dependency[:]
        file.dependency.extend(remaining)
    return copy


def protoc(*arguments: str) -> None:
    """Run the pinned compiler, and stop with its status where it fails."""
    command = [sys.executable, "-m", "grpc_tools.protoc", *arguments]
    status = subprocess.run(command, check=False).returncode
    if status:
        raise SystemExit(status)


def encode(files: Message) -> bytes:
    """Encode a set the same way every time."""
    return files.SerializeToString(deterministic=True)


def replace_tree(new: Path, old: Path) -> None:
    """Make an old folder equal to a new one, writing only what differs."""
    wanted = {path.relative_to(new): path.read_bytes() for path in new.rglob("*") if path.is_file()}
    for path in [path for path in old.rglob("*") if path.is_file()]:
        if path.relative_to(old) not in wanted and "__pycache__" not in path.parts:
            path.unlink()
    for name, content in wanted.items():
        if not (old / name).is_file() or (old / name).read_bytes() != content:
            write(old / name, content)


def write(path: Path, content: bytes) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


if __name__ == "__main__":
    main()
