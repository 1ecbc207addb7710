"""Edits of the builder's tree: what changes its shape. The browser asks for one at a time.

`edit` changes the tree in place and returns where the keyboard's focus belongs now: a field's name,
or `<path>:<button>`.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, cast

from hiiki.segments.builder import GROUPS, ROOT, Node, children, new_condition


def edit(tree: Node, do: str, at: str, to: str = "", place: int = 0) -> str:
    """Do one edit to the node whose path in the form is `at`.

    `add`, `add_group`: a condition, or a group with one, at a group's end. `remove`, `copy`.
    `wrap`: put it into a group of its own; `unwrap`: put what is in a group in its place.
    `up`, `down`: one step in the order in which the tree is read, into groups and out of them.
    `move`: to the group `to`, as its child number `place`. What is not possible changes nothing.
    """
    node, siblings, index = _find(tree, at)
    if node is None:
        return ""
    if do in ("add", "add_group"):
        return _add(node, at, is_group=do == "add_group")
    if siblings is None:
        return ""
    parent = at.rsplit(".", 2)[0]
    match do:
        case "remove":
            del siblings[index]
            return f"{parent}:add"
        case "copy":
            siblings.insert(index + 1, deepcopy(node))
            return f"{parent}.rules.{index + 1}:copy"
        case "wrap":
            siblings[index] = {"kind": _other(_kind(tree, parent)), "rules": [node]}
            return f"{at}.kind"
        case "unwrap" if node.get("kind") in GROUPS:
            siblings[index : index + 1] = children(node)
            return f"{at}:up" if children(node) else f"{parent}:add"
        case "up" | "down":
            _step(tree, node, siblings, index, parent, do)
            return f"{_path_of(tree, node)}:{do}"
        case "move":
            _move(tree, node, siblings, index, at, to, place)
            return f"{_path_of(tree, node)}:up"
        case _:
            return ""


def _add(node: Node, at: str, *, is_group: bool) -> str:
    if node.get("kind") not in GROUPS:
        return ""
    new = new_condition()
    if is_group:
        new = {"kind": _other(node["kind"]), "rules": [new]}
    node["rules"] = [*children(node), new]
    last = f"{at}.rules.{len(node['rules']) - 1}"
    return f"{last}.rules.0.kind" if is_group else f"{last}.kind"


def _other(kind: Any) -> str:
    return "any" if kind == "all" else "all"


def _kind(tree: Node, path: str) -> Any:
    node = _find(tree, path)[0]
    return None if node is None else node.get("kind")


def _step(tree: Node, node: Node, siblings: list[Any], index: int, parent: str, do: str) -> None:
    other = index - 1 if do == "up" else index + 1
    if not 0 <= other < len(siblings):
        _group, outer, at = _find(tree, parent)
        if outer is not None:  # out of the group, to its other side
            del siblings[index]
            outer.insert(at if do == "up" else at + 1, node)
        return
    neighbour = siblings[other]
    if neighbour.get("kind") in GROUPS:  # into it, at its nearer end
        del siblings[index]
        inner = children(neighbour)
        neighbour["rules"] = [*inner, node] if do == "up" else [node, *inner]
    else:
        siblings[index], siblings[other] = neighbour, node


def _move(
    tree: Node, node: Node, siblings: list[Any], index: int, at: str, to: str, place: int
) -> None:
    group = _find(tree, to)[0]
    is_inside = to == at or to.startswith(f"{at}.")
    if group is None or group.get("kind") not in GROUPS or is_inside:
        return
    del siblings[index]
    inner = children(group)
    inner.insert(max(0, min(place, len(inner))), node)
    group["rules"] = inner


def _path_of(tree: Node, wanted: Node, path: str = ROOT) -> str:
    if tree is wanted:
        return path
    for index, part in enumerate(children(tree)):
        found = _path_of(part, wanted, f"{path}.rules.{index}")
        if found:
            return found
    return ""


def _find(tree: Node, at: str) -> tuple[Node | None, list[Any] | None, int]:
    node: Any = tree
    siblings: list[Any] | None = None
    index = 0
    steps = at.split(".")[1:]
    for name, number in zip(steps[::2], steps[1::2], strict=False):
        if name != "rules" or not number.isdigit() or not isinstance(node, dict):
            return None, None, 0
        siblings, index = children(cast("Node", node)), int(number)
        if index >= len(siblings):
            return None, None, 0
        node = siblings[index]
    return (cast("Node", node), siblings, index) if isinstance(node, dict) else (None, None, 0)
