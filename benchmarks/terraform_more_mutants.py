"""The second set of mutators, held out until 2026-11-28; the checker was developed with it since.

See `terraform_mutants.py`.
"""

import re

from terraform_mutants import SCALAR, TEXT, Kind, Mutator


def formatted(m: Mutator) -> str | None:
    return m.rewritten(m.literals(TEXT), 'format("%s", @)')


def coalesced(m: Mutator) -> str | None:
    return m.rewritten(m.literals(TEXT), 'coalesce(@, "other")')


def only_element(m: Mutator) -> str | None:
    return m.rewritten(m.literals(SCALAR), "one([@])")


def looked_up(m: Mutator) -> str | None:
    return m.rewritten(m.literals(TEXT), 'lookup({ a = @ }, "a", @)')


def through_json(m: Mutator) -> str | None:
    return m.rewritten(m.literals(SCALAR), "jsondecode(jsonencode(@))")


def trimmed_heredoc(m: Mutator) -> str | None:
    node = m.pick(m.literals(TEXT))
    return m.put(node, f"trimspace(<<-EOT\n    {m.of(node)[1:-1]}\n    EOT\n  )") if node else None


def with_default(m: Mutator) -> str | None:
    node = m.pick(m.literals(SCALAR))
    if node is None:
        return None
    return (
        m.put(node, "var.drawn")
        + f'\nvariable "drawn" {{\n  description = "Drawn out"\n  default     = {m.of(node)}\n}}\n'
    )


def merged(m: Mutator) -> str | None:
    node = m.pick([n.children[2] for n in m.attributes if m.of(n.children[2]).startswith("{")])
    return m.put(node, f"merge({m.of(node)}, {{}})") if node else None


def concatenated(m: Mutator) -> str | None:
    node = m.pick([n.children[2] for n in m.attributes if m.of(n.children[2]).startswith("[")])
    return m.put(node, f"concat({m.of(node)}, [])") if node else None


def through_for(m: Mutator) -> str | None:
    node = m.pick([n.children[2] for n in m.attributes if m.of(n.children[2]).startswith("[")])
    return m.put(node, f"[for each_one in {m.of(node)} : each_one]") if node else None


def renamed(m: Mutator) -> str | None:
    """A resource with another name, and every reference to it."""
    block = m.pick(m.resources)
    if block is None:
        return None
    kind, name = m.labels(block)
    text = m.put(block.children[2], f'"{name}_renamed"')
    return re.sub(rf"(?<![\w.-]){kind}\.{re.escape(name)}(?![\w-])", f"{kind}.{name}_renamed", text)


def reordered(m: Mutator) -> str | None:
    """Two neighbouring arguments change places."""
    pairs = [
        (n, n.next_named_sibling) for n in m.attributes if n.next_named_sibling in m.attributes
    ]
    first, second = m.rng.choice(pairs) if pairs else (None, None)
    if first is None or second is None:
        return None
    between = m.data[first.end_byte : second.start_byte].decode()
    if "#" in between or "//" in between or "<<" in m.of(first) + m.of(second):
        return None
    swapped = m.of(second) + between + m.of(first)
    return (m.data[: first.start_byte] + swapped.encode() + m.data[second.end_byte :]).decode()


def one_more_tag(m: Mutator) -> str | None:
    candidates = [
        n.children[2]
        for n in m.attributes
        if m.of(n.children[0]) == "tags" and m.of(n.children[2]).startswith("{")
    ]
    node = m.pick(candidates)
    return (
        m.put(node, m.of(node)[:-1].rstrip().rstrip(",") + '\n    Drawn = "up"\n  }')
        if node
        else None
    )


def an_output(m: Mutator) -> str | None:
    block = m.pick(m.resources)
    if block is None or "count" in m.of(block) or "for_each" in m.of(block):
        return None
    kind, name = m.labels(block)
    return m.appended(
        f'output "drawn" {{\n  value       = {kind}.{name}.id\n  description = "Drawn up"\n}}'
    )


def dynamic(m: Mutator) -> str | None:
    """A nested block as a dynamic one that is repeated once."""
    node = m.pick(m.unlabelled)
    if node is None or m.of(node.children[0]) in (
        "lifecycle",
        "provisioner",
        "connection",
        "content",
        "timeouts",
    ):
        return None
    name = m.of(node.children[0])
    body = m.of(node).partition("{")[2]
    return m.put(node, f'dynamic "{name}" {{\n    for_each = [1]\n    content {{{body}\n  }}')


def an_empty_local(m: Mutator) -> str | None:
    return m.appended('locals {\n  drawn_up = { for key in ["a", "b"] : key => upper(key) }\n}')


def long_comment(m: Mutator) -> str | None:
    node = m.pick(m.attributes)
    return m.put(node, f"/* {m.of(node.children[0])} = [\n  {{ */ {m.of(node)}") if node else None


def a_moved_block(m: Mutator) -> str | None:
    block = m.pick(m.resources)
    if block is None:
        return None
    kind, name = m.labels(block)
    return m.appended(f"moved {{\n  from = {kind}.{name}_before\n  to   = {kind}.{name}\n}}")


def undeclared(m: Mutator) -> str | None:
    node = m.pick([n for n in m.top if m.of(n.children[0]) in ("variable", "locals")])
    return m.put(node, "") if node else None


def without_resource(m: Mutator) -> str | None:
    node = m.pick([n for n in m.top if m.of(n.children[0]) in ("resource", "data")])
    return m.put(node, "") if node else None


def given_twice(m: Mutator) -> str | None:
    node = m.pick(m.attributes)
    return m.put(node, f"{m.of(node)}\n  {m.of(node)}") if node else None


def renamed_alone(m: Mutator) -> str | None:
    block = m.pick(m.resources)
    return m.put(block.children[2], '"another_name"') if block else None


def other_type(m: Mutator) -> str | None:
    """A resource with the type of another one."""
    resources = m.resources
    if len(resources) < 2:
        return None
    first, second = m.rng.sample(resources, 2)
    return (
        m.put(first.children[1], m.of(second.children[1]))
        if m.of(first.children[1]) != m.of(second.children[1])
        else None
    )


def data_for_resource(m: Mutator) -> str | None:
    node = m.pick([n for n in m.top if m.of(n.children[0]) in ("resource", "data")])
    return (
        m.put(node.children[0], {"resource": "data", "data": "resource"}[m.of(node.children[0])])
        if node
        else None
    )


def in_a_list(m: Mutator) -> str | None:
    node = m.value()
    return m.put(node, f"[{m.of(node)}]") if node and "<<" not in m.of(node) else None


def out_of_its_list(m: Mutator) -> str | None:
    candidates = [
        n.children[2] for n in m.attributes if re.fullmatch(r"\[[^\[\],]+\]", m.of(n.children[2]))
    ]
    node = m.pick(candidates)
    return m.put(node, m.of(node)[1:-1].strip()) if node else None


def in_an_object(m: Mutator) -> str | None:
    node = m.value()
    return m.put(node, f"{{ value = {m.of(node)} }}") if node and "<<" not in m.of(node) else None


def invented_argument(m: Mutator) -> str | None:
    block = m.pick(m.nested + m.resources)
    name = m.rng.choice(
        ["enable", "mode", "labels", "location", "resource_name", "size", "is_public"]
    )
    return m.inside(block, f"{name} = true") if block else None


def invented_block(m: Mutator) -> str | None:
    block = m.pick(m.nested + m.resources)
    name = m.rng.choice(["settings", "options", "config", "spec", "metadata"])
    return m.inside(block, f"{name} {{\n    enabled = true\n  }}") if block else None


def other_attribute(m: Mutator) -> str | None:
    node = m.pick(
        [n for n in m.nodes if n.type == "get_attr" and m.of(n) in (".id", ".arn", ".name")]
    )
    return (
        m.put(node, m.rng.choice([".identifier", ".ref", ".self_link", ".arn_value"]))
        if node
        else None
    )


def longer_word(m: Mutator) -> str | None:
    node = m.pick(m.literals(r'"[A-Za-z0-9._:/-]{2,}"'))
    return (
        m.put(node, f'"{m.of(node)[1:-1]}{m.rng.choice(["-zz", "_v2", "!", " x"])}"')
        if node
        else None
    )


def scaled(m: Mutator) -> str | None:
    node = m.pick(m.literals(r"\d+"))
    return (
        m.put(node, m.rng.choice(["0", "-1", m.of(node) + "000", m.of(node) + ".5", '"many"']))
        if node
        else None
    )


def emptied(m: Mutator) -> str | None:
    node = m.pick(m.nested)
    return m.put(node, f"{m.of(node.children[0])} {{\n  }}") if node else None


def without_punctuation(m: Mutator) -> str | None:
    signs = (
        "=",
        ",",
        "function_arguments",
        "quoted_template_start",
        "template_interpolation_end",
        "tuple_start",
        "block_start",
        ")",
    )
    node = m.pick([n for n in m.nodes if n.type in signs])
    return m.put(node, "") if node else None


def fewer_arguments(m: Mutator) -> str | None:
    node = m.pick(
        [n for n in m.nodes if n.type == "function_arguments" and n.named_child_count > 0]
    )
    return m.put(node.named_children[-1], "") if node else None


def one_more_argument(m: Mutator) -> str | None:
    node = m.pick(
        [n for n in m.nodes if n.type == "function_arguments" and n.named_child_count > 0]
    )
    return m.put(node, m.of(node).rstrip().rstrip(",") + ', "more"') if node else None


def repeated_wrongly(m: Mutator) -> str | None:
    block = m.pick(m.resources)
    line = m.rng.choice(
        [
            'count = "many"',
            'for_each = ["a"]',
            "count = -1",
            "for_each = 3",
            "count = 1",
            'for_each = toset(["a"])',
        ]
    )
    return m.inside(block, line) if block else None


def after_nothing(m: Mutator) -> str | None:
    block = m.pick(m.resources)
    where = m.rng.choice(["aws_instance.nowhere", "var.nowhere", '"text"', "data.aws_ami.nowhere"])
    return m.inside(block, f"depends_on = [{where}]") if block else None


def ignored(m: Mutator) -> str | None:
    block = m.pick([n for n in m.resources if "lifecycle" not in m.of(n)])
    names = m.rng.choice(["[no_such_argument]", "all", "[tags]", '["tags"]', "everything"])
    return m.inside(block, f"lifecycle {{\n    ignore_changes = {names}\n  }}") if block else None


def elsewhere(m: Mutator) -> str | None:
    block = m.pick([n for n in m.resources if "provider" not in m.of(n)])
    return m.inside(block, "provider = aws.elsewhere") if block else None


def broken_format(m: Mutator) -> str | None:
    """An ARN, a network or a region with a piece missing."""
    node = m.pick(m.literals(r'"arn:[^"$%\\]*"|"\d+\.\d+\.\d+\.\d+(?:/\d+)?"|"[a-z]{2}-[a-z]+-\d"'))
    if node is None:
        return None
    text = m.of(node)[1:-1]
    return m.put(
        node,
        f'"{m.rng.choice([text[4:], text[:-2], text.replace("/", ":"), text.replace(".", ",")])}"',
    )


def of_itself(m: Mutator) -> str | None:
    """An argument that refers to its own resource."""
    block = m.pick(m.resources)
    if block is None:
        return None
    kind, name = m.labels(block)
    inside = [n for n in m.attributes if block.start_byte < n.start_byte < block.end_byte]
    node = m.pick(inside)
    return m.put(node.children[2], f"{kind}.{name}.id") if node else None


def one_label_less(m: Mutator) -> str | None:
    node = m.pick([n for n in m.top if len(n.children) > 3])
    return m.put(node.children[1], "") if node else None


HARMLESS: tuple[Kind, ...] = (
    formatted, coalesced, only_element, looked_up, through_json, trimmed_heredoc, with_default,
    merged, concatenated, through_for, renamed, reordered, one_more_tag, an_output, dynamic,
    an_empty_local, long_comment, a_moved_block,
)  # fmt: skip
HARMFUL: tuple[Kind, ...] = (
    undeclared, without_resource, given_twice, renamed_alone, other_type, data_for_resource,
    in_a_list, out_of_its_list, in_an_object, invented_argument, invented_block, other_attribute,
    longer_word, scaled, emptied, without_punctuation, fewer_arguments, one_more_argument,
    repeated_wrongly, after_nothing, ignored, elsewhere, broken_format, of_itself, one_label_less,
)  # fmt: skip
