"""Builds `data/<provider>.json.gz` of providers that are not installed, from the prebuilt bindings
of Terraform CDK.

    pip download --no-deps cdktf-cdktf-provider-google==16.12.1
    python -m tools.terraform.cdktf cdktf_cdktf_provider_google-16.12.1-py3-none-any.whl

The bindings (https://pypi.org/project/cdktf-cdktf-provider-google, MPL-2.0) are JavaScript that
HashiCorp generated from the provider's schema: each resource is a class that says how its arguments
are written (`synthesizeHclAttributes`), each nested block a class of its own. What the classes do
not tell is left open: `sensitive`, limits on the number of blocks other than one, whether an
optional argument is also computed, ephemeral resources, and functions.
"""

import io
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from tools.data import write
from tools.terraform.schema import compact

CLASS = re.compile(r"^class (\w+) extends cdktf\.(\w+) \{$(.*?)^\}$", re.M | re.S)
TO_HCL = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{$(.*?)^\}$", re.M | re.S)
ARGUMENT = re.compile(
    r"^\s+(\w+): \{\s*value: (.*?),\s*isBlock: (true|false),"
    r"\s*type: \"(\w+)\",\s*storageClassType: \"(\w+)\",",
    re.M | re.S,
)
GETTER = re.compile(r"^    get (\w+)\(\) \{\s*return ([^;]*);", re.M)
NAMED = re.compile(r"(?:this\.(\w+)|Fn\.(tolist)\(this\.\w+)\(['\"](\w+)['\"]\)")
FIELD = re.compile(r"this\._(\w+) = new ([\w.]+)\(this, \"(\w+)\"(?:, (true|false))?\)")
RESET = re.compile(r"^    reset(\w+)\(\)", re.M)
ELEMENT = re.compile(r"return new ([\w.]+)\(this\.terraformResource")
TYPE_NAME = re.compile(r'^(\w+)\.tfResourceType = "([\w-]+)";', re.M)
PROVIDER = re.compile(r"registry\.terraform\.io/providers/([\w-]+/[\w-]+)/([\d.]+)/docs")

WORDS = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
COMPUTED_TYPES: dict[str, Any] = {
    "getStringAttribute": "string",
    "getNumberAttribute": "number",
    "getBooleanAttribute": "bool",
    "getListAttribute": ["list", "string"],
    "getNumberListAttribute": ["list", "number"],
    "tolist": ["set", "string"],
    "getStringMapAttribute": ["map", "string"],
    "getNumberMapAttribute": ["map", "number"],
    "getBooleanMapAttribute": ["map", "bool"],
}
"""How a getter reads -> the attribute's type."""
SECTIONS = {
    "TerraformResource": "resource_schemas",
    "TerraformDataSource": "data_source_schemas",
    "TerraformEphemeralResource": "ephemeral_resource_schemas",
}


def storage_type(kind: str, storage: str) -> Any:
    """The type of an argument that is no object: ("set", "stringList") is ["set", "string"]."""
    word = re.match(r"string|number|boolean|any", storage)
    if word is None:
        return "dynamic"
    nested: Any = WORDS[word.group()]
    for outer in re.findall("List|Map", storage[word.end() :]):
        nested = ["map" if outer == "Map" else "list", nested]
    return ["set", nested[1]] if kind == "set" and isinstance(nested, list) else nested


@dataclass
class Bindings:
    """The classes of one resource's module."""

    classes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """name -> (base, body)."""
    functions: dict[str, str] = field(default_factory=dict)
    """Struct's name with a small first letter -> how it is written."""
    types: list[tuple[str, str]] = field(default_factory=list)
    """(class, type name)."""

    def add(self, text: str) -> None:
        self.classes |= {name: (base, body) for name, base, body in CLASS.findall(text)}
        self.functions |= dict(TO_HCL.findall(text))
        self.types += TYPE_NAME.findall(text)

    def block(self, name: str, written: str | None = None) -> dict[str, Any]:
        """The schema of a class; `written`: the text that lists its arguments, where the class does
        not.
        """
        base, body = self.classes.get(name, ("", ""))
        if written is None:
            written = body
        # Only what may be left out has a method that resets it.
        optional = {word[0].lower() + word[1:] for word in RESET.findall(body)}
        fields = {
            word: (of.rpartition(".")[2], wraps_set == "true")
            for word, of, _, wraps_set in FIELD.findall(body)
        }
        names = {argument: word for word, _, argument, _ in FIELD.findall(body)}
        getters = {}
        for word, expression in GETTER.findall(body):
            read = NAMED.search(expression)
            if read:
                getters[read.group(3)] = read.group(1) or read.group(2)
                names[read.group(3)] = word
        arguments = {argument: rest for argument, *rest in ARGUMENT.findall(written)}
        attributes: dict[str, Any] = {}
        blocks: dict[str, Any] = {}
        for argument, (value, _, kind, storage) in arguments.items():
            word = names.get(argument) or _camel(argument)
            required = bool(base) and word not in optional
            # `string` and `stringList` are scalars and lists of them; a class begins with a
            # capital.
            if storage[0].islower():
                attributes[argument] = {
                    "type": storage_type(kind, storage),
                    "required": required,
                    "optional": not required,
                }
            # A mapper's second argument says if the value is written as a block.
            elif "Mapper" in value and not re.search(r"Mapper\w*\([\w.]+, true\)", value):
                nested = self.object_type(fields[word][0]) if word in fields else "dynamic"
                attributes[argument] = {
                    "type": [kind, nested],
                    "required": required,
                    "optional": not required,
                }
            else:
                blocks[argument] = self._nested(value, kind, storage, required, fields.get(word))
        for computed in (
            getters.keys() | {argument for _, _, argument, _ in FIELD.findall(body)}
        ) - arguments.keys():
            attributes[computed] = {
                "type": self._computed(computed, getters, fields.get(names[computed])),
                "computed": True,
            }
        return {"attributes": attributes, "block_types": blocks}

    def _nested(
        self, value: str, kind: str, storage: str, required: bool, own: tuple[str, bool] | None
    ) -> dict[str, Any]:
        several = "Mapper" in value
        reference = self._element(own[0]) if own else ""
        struct = reference.removesuffix("OutputReference") or storage.removesuffix("List")
        written = self.functions.get(struct[0].lower() + struct[1:], "")
        return {
            "nesting_mode": "single" if kind == "struct" else kind,
            "min_items": int(required),
            "max_items": 0 if several or kind == "struct" else 1,
            "block": self.block(reference, written),
        }

    def _element(self, name: str) -> str:
        """The class of one item, where `name` is the class of a list."""
        base, body = self.classes.get(name, ("", ""))
        element = ELEMENT.search(body) if base in ("ComplexList", "ComplexMap") else None
        return element.group(1).rpartition(".")[2] if element else name

    def object_type(self, name: str) -> Any:
        """The object type behind a class."""
        reference = self._element(name)
        struct = reference.removesuffix("OutputReference")
        block = self.block(reference, self.functions.get(struct[0].lower() + struct[1:], ""))
        members = {member: attribute["type"] for member, attribute in block["attributes"].items()}
        for member, nested in block["block_types"].items():
            members[member] = [nested["nesting_mode"], _as_object(nested["block"])]
        return ["object", members]

    def _computed(self, name: str, getters: dict[str, str], own: tuple[str, bool] | None) -> Any:
        if own is None:
            return COMPUTED_TYPES.get(getters[name], "dynamic")
        base = self.classes.get(own[0], ("", ""))[0]
        if base in ("ComplexList", "ComplexMap"):
            kind = "map" if base == "ComplexMap" else "set" if own[1] else "list"
            return [kind, self.object_type(own[0])]
        if re.fullmatch("(String|Number|Boolean|Any)(Map|List)+", own[0]):
            return storage_type("", own[0][0].lower() + own[0][1:])
        return self.object_type(own[0]) if base == "ComplexObject" else "dynamic"


def _as_object(block: dict[str, Any]) -> Any:
    members = {name: attribute["type"] for name, attribute in block["attributes"].items()}
    inner = {
        name: [nested["nesting_mode"], _as_object(nested["block"])]
        for name, nested in block["block_types"].items()
    }
    return ["object", members | inner]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def modules(wheel: Path) -> Iterator[tuple[str, list[str]]]:
    """(folder, its JavaScript texts) of each resource in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (package,) = (name for name in archive.namelist() if name.endswith(".tgz"))
        data = archive.read(package)
    texts_of_folder: dict[str, list[str]] = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as members:
        for member in members:
            parts = PurePosixPath(member.name).parts
            stream = (
                members.extractfile(member)
                # A resource has a folder below `package/lib`; files in `lib` itself only collect
                # them.
                if member.name.endswith(".js") and parts[1] == "lib" and len(parts) > 3
                else None
            )
            if stream is not None:
                texts_of_folder.setdefault(parts[2], []).append(stream.read().decode())
    yield from sorted(texts_of_folder.items())


def schema(wheel: Path) -> tuple[str, str, dict[str, Any]]:
    """(source, version, schema) of the provider in a wheel, in the form of `terraform providers
    schema -json`.
    """
    sections: dict[str, Any] = {section: {} for section in SECTIONS.values()}
    source = version = ""
    for _, texts in modules(wheel):
        bindings = Bindings()
        for text in texts:
            bindings.add(text)
        for name, type_name in bindings.types:
            base = bindings.classes[name][0]
            if base in SECTIONS:
                sections[SECTIONS[base]][type_name] = {"block": bindings.block(name)}
            elif base == "TerraformProvider":
                sections["provider"] = {"block": bindings.block(name)}
                source, version = PROVIDER.findall("".join(texts))[0]
    return source, version, sections


def main(wheel: Path) -> None:
    """Writes the data file of the wheel's provider."""
    source, version, provider = schema(wheel)
    package = "-".join(wheel.name.split("-")[:2])
    data = compact(source, provider, version) | {"source": f"{source} {version}, {package}"}
    # Bindings have neither: what is not known must not look as if it did not exist.
    del data["ephemeral"], data["functions"]
    write("terraform", source.rpartition("/")[2], data)


if __name__ == "__main__":
    for path in sys.argv[1:]:
        main(Path(path))
