"""The third set of mutators, for measuring only: nothing of the checker was developed with it.

See `terraform_mutants.py`.

What is written wrongly, by kind, stands in `terraform_mistakes.toml`, and whole blocks, as
tutorials for older providers have them or as they are remembered wrongly, in
`terraform_old_examples.tf`.
"""

import ipaddress
import json
import re
import tomllib
from pathlib import Path

from terraform_mutants import SCALAR, TEXT, Kind, Mutator, Node

PLAIN = r"(?:data\.)?aws_\w+\.[\w-]+\.\w+"
"""An attribute of a resource that is not repeated."""
INPUT = r"(?:var|local)\.[\w-]+"
NETWORK = r'"\d+\.\d+\.\d+\.\d+/\d+"'
TEXTS = r'\[\s*"[\w./:*-]+"(?:\s*,\s*"[\w./:*-]+")*\s*,?\s*\]'
MISTAKES = tomllib.loads(Path(__file__).with_name("terraform_mistakes.toml").read_text())
OLD_EXAMPLES = re.findall(
    r"(?ms)^\w.*?^}", Path(__file__).with_name("terraform_old_examples.tf").read_text()
)
REPEATED = re.compile(r"^\s*(?:count|for_each)\s*=", re.M)


def _single(m: Mutator) -> Node | None:
    """A resource that is not repeated."""
    return m.pick([n for n in m.resources if not REPEATED.search(m.of(n))])


def _with_one_more(m: Mutator, candidates: list[Node], line: str) -> str | None:
    block = m.pick(candidates)
    return m.inside(block, line) if block else None


def _without_lifecycle(m: Mutator) -> list[Node]:
    return [n for n in m.resources if "lifecycle" not in m.of(n)]


def _mistaken(m: Mutator, candidates: list[Node], kind: str) -> str | None:
    return m.rewritten(candidates, m.rng.choice(MISTAKES[kind]))


def _values(candidates: list[Node]) -> list[Node]:
    return [n.children[2] for n in candidates]


def _next_to_a_resource(m: Mutator, text: str) -> str | None:
    """The module with one more block: `@` stands for a resource in it, `%` for its type."""
    block = _single(m)
    kind, name = m.labels(block) if block else ("", "")
    return m.appended(text.replace("@", f"{kind}.{name}").replace("%", kind)) if block else None


def _drawn_out(m: Mutator, candidates: list[Node], way: str) -> str | None:
    """A value that becomes a local one, and is written in a way that reads it."""
    node = m.pick([n for n in candidates if not re.search(r"\b(?:each|count|self)\.", m.of(n))])
    return (
        m.put(node, way) + f"\nlocals {{\n  drawn_out_of_it = {m.of(node)}\n}}\n" if node else None
    )


def _repeated(m: Mutator, line: str, key: str) -> str | None:
    """A resource that is repeated once, and every reference to it."""
    block = _single(m)
    if block is None:
        return None
    kind, name = m.labels(block)
    text = m.put(block, m.of(block).replace("{", f"{{\n  {line}\n", 1))
    return re.sub(
        rf"(?<![\w.-]){kind}\.{re.escape(name)}(?![\w-])",
        lambda candidates: candidates[0] + key,
        text,
    )


def _variables(m: Mutator) -> list[Node]:
    """Those that are written over several lines."""
    return [n for n in m.top if m.of(n.children[0]) == "variable" and "\n" in m.of(n)]


def _arguments(m: Mutator, keyword: str, name: str) -> list[Node]:
    """Arguments of variables, or of outputs."""
    blocks = [n for n in m.top if re.fullmatch(keyword, m.of(n.children[0]))]
    own = [n for n in m.nodes if n.type == "attribute" and n.parent and n.parent.parent in blocks]
    return [n for n in own if re.fullmatch(name, m.of(n.children[0]))]


def _body(m: Mutator, block: Node) -> str:
    return m.of(block).partition("{")[2][:-1].rstrip()


def _heredocs(m: Mutator) -> list[tuple[Node, str]]:
    """Values that are heredocs of JSON, and what is in them."""
    candidates = []
    for node in m.literals(r"(?s)<<.*"):
        body = "\n".join(m.of(node).splitlines()[1:-1])
        try:
            json.loads(re.sub(r"\$\{[^}]*\}", "x", body))
        except ValueError:
            continue
        candidates.append((node, body))
    return candidates


def windows_lines(m: Mutator) -> str | None:
    """Only where a heredoc makes them matter."""
    return (
        None if b"<<" not in m.data else m.data.decode().replace("\r\n", "\n").replace("\n", "\r\n")
    )


def bare_labels(m: Mutator) -> str | None:
    node = m.pick([n for n in m.top if m.of(n.children[0]) in ("resource", "data", "output")])
    if node is None:
        return None
    labels, brace, body = m.of(node).partition("{")
    return m.put(node, labels.replace('"', "") + brace + body)


def quoted_key(m: Mutator) -> str | None:
    return m.rewritten(
        [n.children[0] for n in m.elements if re.fullmatch(r"[A-Za-z]\w*", m.of(n.children[0]))],
        '"@"',
    )


def other_sign(m: Mutator) -> str | None:
    """`key: value` for `key = value` in an object, or the other way."""
    node = m.pick([n.children[1] for n in m.elements if n.children[1].type in ("=", ":")])
    return m.put(node, {"=": ":", ":": " ="}[node.type]) if node else None


def older_index(m: Mutator) -> str | None:
    """`.0` and `.*`, as before Terraform 0.12."""
    node = m.pick(
        [
            n
            for n in m.nodes
            if n.type in ("new_index", "full_splat") and re.match(r"\[(?:\d+|\*)\]", m.of(n))
        ]
    )
    return m.put(node, re.sub(r"\[(\d+|\*)\]", r".\1", m.of(node), count=1)) if node else None


def reference_in_local(m: Mutator) -> str | None:
    return _drawn_out(m, m.literals(PLAIN), "local.drawn_out_of_it")


def policy_in_local(m: Mutator) -> str | None:
    arguments = [n for n in m.nodes if n.type == "function_arguments" and m.of(n).startswith("{")]
    return _drawn_out(m, arguments, "local.drawn_out_of_it")


def policy_as_object(m: Mutator) -> str | None:
    """A heredoc of JSON as an object: JSON without escapes is HCL."""
    candidates = [(node, body) for node, body in _heredocs(m) if "\\" not in body]
    node, body = m.rng.choice(candidates) if candidates else (None, "")
    return m.put(node, f"jsonencode({body.strip()})") if node else None


def on_one_line(m: Mutator) -> str | None:
    node = m.pick(
        [
            n
            for n in m.unlabelled
            if re.fullmatch(r"\s*\w+\s*=[^\n{<#/]*", _body(m, n)) and "\n" in m.of(n)
        ]
    )
    return m.put(node, f"{m.of(node.children[0])} {{ {_body(m, node).strip()} }}") if node else None


def one_per_line(m: Mutator) -> str | None:
    node = m.pick(m.literals(r"\[[^\[\]{}\n#]+\]"))
    if node is None:
        return None
    items = [m.of(n) for n in node.children[0].children[0].named_children if n.type == "expression"]
    return m.put(node, "[\n" + "".join(f"    {item},\n" for item in items) + "  ]")


def other_comment(m: Mutator) -> str | None:
    node = m.pick([n for n in m.nodes if n.type == "comment" and re.match(r"#|//", m.of(n))])
    if node is None:
        return None
    words = m.of(node).lstrip("#/").strip().replace("*/", "")
    return m.put(node, m.rng.choice([f"// {words}", f"/* {words} */", f"# {words}"]))


def counted(m: Mutator) -> str | None:
    return _repeated(m, "count = 1", "[0]")


def keyed(m: Mutator) -> str | None:
    return _repeated(m, 'for_each = toset(["main"])', '["main"]')


def explicit_dependency(m: Mutator) -> str | None:
    """A `depends_on` with a resource that the block refers to anyway."""
    node = m.pick(
        [
            n
            for n in m.expressions(PLAIN)
            if (owner := m.top_of(n)) in m.resources and "depends_on" not in m.of(owner)
        ]
    )
    return (
        m.inside(m.top_of(node), f"depends_on = [{m.of(node).rpartition('.')[0]}]")
        if node
        else None
    )


def precondition(m: Mutator) -> str | None:
    rule = (
        'condition     = terraform.workspace != "none"\n'
        '      error_message = "Not in this workspace."'
    )
    return _with_one_more(
        m, _without_lifecycle(m), f"lifecycle {{\n    precondition {{\n      {rule}\n    }}\n  }}"
    )


def validated(m: Mutator) -> str | None:
    node = m.pick([n for n in _variables(m) if "validation" not in m.of(n)])
    if node is None:
        return None
    name = m.of(node.children[1]).strip('"')
    rule = (
        f"condition     = try(length(var.{name}), 1) > 0\n"
        f'    error_message = "It must not be empty."'
    )
    return m.inside(node, f"validation {{\n    {rule}\n  }}")


def any_type(m: Mutator) -> str | None:
    untyped = [n for n in _variables(m) if not re.search(r"^\s*type\s*=", m.of(n), re.M)]
    return _with_one_more(m, untyped, "type = any")


def checked(m: Mutator) -> str | None:
    rule = 'condition     = @.id != ""\n    error_message = "It is not there."'
    return _next_to_a_resource(m, f'check "it_is_there" {{\n  assert {{\n    {rule}\n  }}\n}}')


def imported(m: Mutator) -> str | None:
    return _next_to_a_resource(m, 'import {\n  to = @\n  id = "made-by-hand"\n}')


def removed(m: Mutator) -> str | None:
    return _next_to_a_resource(
        m, "removed {\n  from = %.made_before\n\n  lifecycle {\n    destroy = false\n  }\n}"
    )


def triggered(m: Mutator) -> str | None:
    return _next_to_a_resource(
        m, 'resource "terraform_data" "after_it" {\n  triggers_replace = [@.id]\n}'
    )


def provisioned(m: Mutator) -> str | None:
    return _with_one_more(
        m, m.resources, 'provisioner "local-exec" {\n    command = "echo ${self.id}"\n  }'
    )


def other_partition(m: Mutator) -> str | None:
    node = m.pick(m.expressions(r'"arn:aws:[^"\\]*"'))
    if node is None:
        return None
    text = m.put(
        node, m.of(node).replace("arn:aws:", "arn:${data.aws_partition.of_this.partition}:", 1)
    )
    return text + '\ndata "aws_partition" "of_this" {}\n'


def calculated_network(m: Mutator) -> str | None:
    """A network as a part of the one of eight bits that it is in."""
    candidates = []
    for node in m.expressions(NETWORK):
        network = ipaddress.ip_network(m.of(node).strip('"'), strict=False)
        if network.prefixlen > 8:
            candidates.append((node, network))
    if not candidates:
        return None
    node, network = m.rng.choice(candidates)
    whole, bits = network.supernet(new_prefix=8), network.prefixlen - 8
    number = (int(network.network_address) - int(whole.network_address)) >> (32 - network.prefixlen)
    return m.put(node, f'cidrsubnet("{whole}", {bits}, {number})')


def split_text(m: Mutator) -> str | None:
    node = m.pick(m.literals(TEXTS))
    if node is None:
        return None
    items = re.findall(r'"([^"]*)"', m.of(node))
    return m.put(node, 'split(",", "' + ",".join(items) + '")')


def wrong_prefix(m: Mutator) -> str | None:
    """`data.` forgotten, or before a resource."""
    node = m.pick(m.expressions(PLAIN))
    if node is None:
        return None
    text = m.of(node)
    return m.put(node, text.removeprefix("data.") if text.startswith("data.") else f"data.{text}")


def wrong_namespace(m: Mutator) -> str | None:
    node = m.pick(m.expressions(INPUT))
    if node is None:
        return None
    space, _, name = m.of(node).partition(".")
    return m.put(node, f"{m.rng.choice(MISTAKES['wrong_namespace'][space])}.{name}")


def half_a_reference(m: Mutator) -> str | None:
    node = m.pick(m.expressions(r"aws_\w+\.[\w-]+\.\w+"))
    if node is None:
        return None
    kind, name, attribute = m.of(node).split(".")
    ways = (
        f"{kind}.{name}",
        f"{kind}.{attribute}",
        f"{name}.{attribute}",
        f'{kind}["{name}"].{attribute}',
        f'{kind}.{name}["{attribute}"]',
    )
    return m.put(node, m.rng.choice(ways))


def quoted_reference(m: Mutator) -> str | None:
    return m.rewritten(m.literals(r"(?:data\.)?aws_\w+\.[\w-]+\.\w*arn"), '"@"')


def bare_interpolation(m: Mutator) -> str | None:
    """A reference as templates, shells and other tools write it."""
    return _mistaken(m, m.literals(f"{PLAIN}|{INPUT}"), "bare_interpolation")


def from_cloudformation(m: Mutator) -> str | None:
    node = m.pick(m.literals(f"{PLAIN}|{INPUT}"))
    if node is None:
        return None
    name = re.sub(r"\W|_", "", m.of(node).removeprefix("data.").split(".")[1].title())
    ways = (
        f"!Ref {name}",
        f"!GetAtt {name}.Arn",
        f'{{ Ref = "{name}" }}',
        f'{{ "Fn::GetAtt" = ["{name}", "Arn"] }}',
        f'Ref("{name}")',
    )
    return m.put(node, m.rng.choice(ways))


def camel_case(m: Mutator) -> str | None:
    """An argument as CloudFormation or the CDK name it."""
    node = m.pick(
        [n.children[0] for n in m.attributes if re.search(r"[a-z]_[a-z]", m.of(n.children[0]))]
    )
    if node is None:
        return None
    name = m.of(node).title().replace("_", "")
    return m.put(node, m.rng.choice([name, name[0].lower() + name[1:]]))


def wrong_variable_type(m: Mutator) -> str | None:
    return _mistaken(m, _values(_arguments(m, "variable", "type")), "wrong_variable_type")


def computed_default(m: Mutator) -> str | None:
    return _mistaken(m, _values(_arguments(m, "variable", "default")), "computed_default")


def default_of_other_type(m: Mutator) -> str | None:
    kind, ways = m.rng.choice(sorted(MISTAKES["default_of_other_type"].items()))
    typed = [
        n.parent
        for n in _arguments(m, "variable", "type")
        if re.match(rf"{kind}\b", m.of(n.children[2]))
    ]
    candidates = [n for n in _arguments(m, "variable", "default") if n.parent in typed]
    return m.rewritten(_values(candidates), m.rng.choice(ways))


def wrong_declaration(m: Mutator) -> str | None:
    """An argument of a variable, or of an output, by the name that another tool has for it."""
    names = MISTAKES["wrong_declaration"]
    node = m.pick(_arguments(m, "variable|output", "|".join(names)))
    return m.put(node.children[0], m.rng.choice(names[m.of(node.children[0])])) if node else None


def wrong_lifecycle(m: Mutator) -> str | None:
    return _with_one_more(
        m,
        _without_lifecycle(m),
        f"lifecycle {{\n    {m.rng.choice(MISTAKES['wrong_lifecycle'])}\n  }}",
    )


def repeated_nested_block(m: Mutator) -> str | None:
    """A nested block repeated without `dynamic`."""
    return _with_one_more(m, m.unlabelled, m.rng.choice(MISTAKES["repeated_nested_block"]))


def each_of_nothing(m: Mutator) -> str | None:
    return _mistaken(m, m.literals(SCALAR), "each_of_nothing")


def broken_dynamic(m: Mutator) -> str | None:
    node = m.pick(
        [n for n in m.unlabelled if m.of(n.children[0]) not in ("content", "lifecycle", "timeouts")]
    )
    if node is None:
        return None
    name, body = m.of(node.children[0]), _body(m, node)
    reads = re.sub(r"= [^{}\n]+$", "= each.value", body, count=1, flags=re.M)
    ways = (
        f'"{name}" {{\n    for_each = [1]{body}',
        f'"{name}" {{\n    content {{{body}\n    }}',
        f'"{name}s" {{\n    for_each = [1]\n    content {{{body}\n    }}',
        f'"{name}" {{\n    for_each = [1]\n    iterator = "each_one"\n    content {{{body}\n    }}',
        f'"{name}" {{\n    for_each = [1]\n    content {{{reads}\n    }}',
        f"{{\n    for_each = [1]\n    {name} {{{body}\n    }}",
    )
    return m.put(node, f"dynamic {m.rng.choice(ways)}\n  }}")


def hoisted(m: Mutator) -> str | None:
    """The arguments of a nested block beside it, and no block."""
    node = m.pick([n for n in m.unlabelled if _body(m, n)])
    return m.put(node, _body(m, node).strip()) if node else None


def sunk(m: Mutator) -> str | None:
    """An argument that slips into the nested block after it."""
    pairs = [
        (n, n.next_named_sibling) for n in m.attributes if n.next_named_sibling in m.unlabelled
    ]
    argument, block = m.rng.choice(pairs) if pairs else (None, None)
    if argument is None or block is None:
        return None
    lines = m.of(block).replace("{", f"{{\n    {m.of(argument)}\n", 1)
    return (m.data[: argument.start_byte] + lines.encode() + m.data[block.end_byte :]).decode()


def block_as_list(m: Mutator) -> str | None:
    node = m.pick([n for n in m.unlabelled if _body(m, n)])
    return m.put(node, f"{m.of(node.children[0])} = [{{{_body(m, node)}\n  }}]") if node else None


def foreign_function(m: Mutator) -> str | None:
    return _mistaken(m, m.literals(TEXT), "foreign_function")


def misused_function(m: Mutator) -> str | None:
    return _mistaken(m, m.literals(TEXT), "misused_function")


def wrong_word(m: Mutator) -> str | None:
    words = MISTAKES["wrong_word"]
    entries = [
        n
        for n in m.attributes
        if m.of(n.children[0]) in words and n.children[2] in m.literals(f"{SCALAR}|{TEXTS}")
    ]
    node = m.pick(entries)
    return m.put(node.children[2], m.rng.choice(words[m.of(node.children[0])])) if node else None


def copied(m: Mutator) -> str | None:
    """A block pasted once more and not renamed."""
    node = m.pick(
        [
            n
            for n in m.top
            if m.of(n.children[0]) in ("resource", "data", "variable", "output", "locals")
        ]
    )
    return m.appended(m.of(node)) if node else None


def json_habit(m: Mutator) -> str | None:
    """An argument as JSON, YAML or another language punctuates it."""
    node = m.pick([n for n in m.attributes if "<<" not in m.of(n)])
    if node is None:
        return None
    name, value = m.of(node.children[0]), m.of(node.children[2])
    ways = (
        f"{name}: {value}",
        f"{name} = {value},",
        f'"{name}" = {value}',
        f"{name} = {value};",
        f"{name} => {value}",
    )
    return m.put(node, m.rng.choice(ways))


def wrong_quotes(m: Mutator) -> str | None:
    node = m.pick(m.literals(TEXT))
    return (
        m.put(node, m.rng.choice(MISTAKES["wrong_quotes"]).replace("@", m.of(node)[1:-1]))
        if node
        else None
    )


def python_habit(m: Mutator) -> str | None:
    return _mistaken(m, m.literals(SCALAR), "python_habit")


def unescaped(m: Mutator) -> str | None:
    """A text with another language's placeholder, or with a bare quote or line's end in it."""
    node = m.pick(
        [
            n
            for n in m.expressions(TEXT)
            if n.next_sibling is None or n.next_sibling.type not in ("=", ":")
        ]
    )
    return m.put(node, f'{m.of(node)[:-1]}{m.rng.choice(MISTAKES["unescaped"])}"') if node else None


def wrong_dependency(m: Mutator) -> str | None:
    other, block = (
        m.pick(m.resources),
        m.pick([n for n in m.resources if "depends_on" not in m.of(n)]),
    )
    if other is None or block is None or other == block:
        return None
    return m.inside(
        block, m.rng.choice(MISTAKES["wrong_dependency"]).replace("@", ".".join(m.labels(other)))
    )


def without_jsonencode(m: Mutator) -> str | None:
    node = m.pick(m.literals(r"(?s)jsonencode\(\s*\{.*\)"))
    return m.put(node, m.of(node).removeprefix("jsonencode(")[:-1].strip()) if node else None


def wrong_tags(m: Mutator) -> str | None:
    return _mistaken(
        m, [n.children[2] for n in m.attributes if m.of(n.children[0]) == "tags"], "wrong_tags"
    )


def wrong_provisioner(m: Mutator) -> str | None:
    return _with_one_more(m, m.resources, m.rng.choice(MISTAKES["wrong_provisioner"]))


def wrong_timeouts(m: Mutator) -> str | None:
    return _with_one_more(m, m.resources, m.rng.choice(MISTAKES["wrong_timeouts"]))


def old_example(m: Mutator) -> str | None:
    return m.appended(m.rng.choice(OLD_EXAMPLES)) if m.resources else None


HARMLESS: tuple[Kind, ...] = (
    windows_lines, bare_labels, quoted_key, other_sign, older_index, reference_in_local,
    policy_in_local, policy_as_object, on_one_line, one_per_line, other_comment, counted, keyed,
    explicit_dependency, precondition, validated, any_type, checked, imported, removed, triggered,
    provisioned, other_partition, calculated_network, split_text,
)  # fmt: skip
HARMFUL: tuple[Kind, ...] = (
    wrong_prefix, wrong_namespace, half_a_reference, quoted_reference, bare_interpolation,
    from_cloudformation, camel_case, wrong_variable_type, computed_default, default_of_other_type,
    wrong_declaration, wrong_lifecycle, repeated_nested_block, each_of_nothing, broken_dynamic,
    hoisted, sunk, block_as_list, foreign_function, misused_function, wrong_word, copied,
    json_habit, wrong_quotes, python_habit, unescaped, wrong_dependency, without_jsonencode,
    wrong_tags, wrong_provisioner, wrong_timeouts, old_example,
)  # fmt: skip
