# SPDX-License-Identifier: GPL-3.0-or-later
"""Paintover's node in the links of the tree: put in, found on the way to the output, taken out.

The node has an input and an output for each picture that it changes: mostly one, the picture that
goes to the output. Where a tree puts several pictures together, it stands behind the captured view
layer instead, so that the others stay in the picture.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Annotated, Any

from .. import saved_state
from ..engine.shared.checked import Range
from . import marks, trees

_Place = Annotated[int, Range(0, 1_000_000)]


@dataclasses.dataclass
class Place:
    """A picture of the tree that the node changes."""

    source: Any
    """The output socket of the picture."""
    targets: list[Any]
    """The input sockets that get the changed picture."""
    is_painted: bool = True
    """Whether the stylized frames replace it; else it only gets the view transform."""


def places(
    tree: Any, scene: Any, layer: str, base: trees.Base, *, transparent: bool
) -> list[Place]:
    """Return where the node belongs in a tree that does not have it.

    Args:
        tree: the scene's own tree; gets an output if it has none.
        scene: the scene.
        layer: the captured view layer.
        base: adds the picture of an output that has none.
        transparent: whether other pictures can be seen through the captured layer.
    """
    finals = trees.make_output(tree)
    for final in finals:
        if not final.links:
            picture = base(tree)
            picture.node.location = (final.node.location.x - 600, final.node.location.y)
            tree.links.new(picture, final)
    behind = _behind_layer(finals, scene, layer, transparent=transparent)
    if behind:
        return behind
    found: dict[tuple[int, bool], Place] = {}
    for final in finals:
        link = final.links[0]
        ends = link.from_socket.as_pointer(), link.is_muted
        found.setdefault(ends, Place(link.from_socket, [])).targets.append(final)
    return list(found.values())


def _behind_layer(finals: list[Any], scene: Any, layer: str, *, transparent: bool) -> list[Place]:
    """Return the places behind the Render Layers nodes, or none if they show one layer alone."""
    kinds = {"R_LAYERS", "IMAGE", "MOVIECLIP"} if transparent else {"R_LAYERS"}
    upstream = _upstream(finals)
    painted: list[Place] = []
    others: list[Place] = []
    for node in upstream:
        if node.type not in kinds or node.mute:
            continue
        for output in node.outputs:
            targets = [
                link.to_socket
                for link in output.links
                if not link.is_muted and link.to_node in upstream
            ]
            if output.name != "Image" or not targets:
                continue
            is_captured = node.type == "R_LAYERS" and (node.scene, node.layer) == (scene, layer)
            place = Place(output, targets, is_captured)
            (painted if is_captured else others).append(place)
    return [*painted, *others] if painted and others else []


def _upstream(sockets: Iterable[Any]) -> list[Any]:
    """Return the nodes that input sockets get their pictures from, nearest first."""
    found: dict[str, Any] = {}
    todo = [_source(socket) for socket in sockets]
    while todo:
        source = todo.pop(0)
        if source is None or source.node.name in found:
            continue
        found[source.node.name] = source.node
        todo += [_source(socket) for socket in source.node.inputs]
    return list(found.values())


def _source(socket: Any) -> Any | None:
    """Return the output socket that an input shows, through reroutes and muted nodes, or None."""
    for _ in range(1000):  # links may form a circle
        link = next((link for link in socket.links if link.is_valid and not link.is_muted), None)
        if link is None:
            return None
        node = link.from_node
        if node.type == "REROUTE":
            socket = node.inputs[0]
        elif node.mute:
            inner = [way for way in node.internal_links if way.to_socket == link.from_socket]
            if not inner:
                return None
            socket = inner[0].from_socket
        else:
            return link.from_socket
    return None


def put_in(tree: Any, node: Any, wanted: list[Place]) -> None:
    """Link the node into these places, which are as many as it has pictures."""
    links = list(tree.links)
    order = {_ends(link): number for number, link in enumerate(links)}
    ends = [[(place.source, target) for target in place.targets] for place in wanted]
    muted = [
        all(link.is_muted for target in place.targets for link in target.links) for place in wanted
    ]
    node[marks.LINKS] = json.dumps(
        [[order[a.as_pointer(), b.as_pointer()] for a, b in pairs] for pairs in ends]
    )
    for number, place in enumerate(wanted):
        tree.links.new(place.source, _inputs(node)[number]).is_muted = muted[number]
        for target in place.targets:
            tree.links.new(node.outputs[number], target)


def take_out(tree: Any, node: Any) -> None:
    """Link the pictures that the node gets to where it sends them, as before ``put_in``."""
    order = saved_state.read(node.get(marks.LINKS), list[list[_Place]]) or []
    back: list[tuple[Any, Any, int]] = []
    for number, (picture, changed) in enumerate(zip(_inputs(node), node.outputs, strict=False)):
        source = picture.links[0].from_socket if picture.links else None
        is_muted = bool(picture.links and picture.links[0].is_muted)
        old = order[number] if number < len(order) else []
        for count, link in enumerate(list(changed.links)):
            target = link.to_socket
            if source is None or (marks.is_made(source.node) and not marks.is_made(target.node)):
                tree.links.remove(link)
                continue
            # This replaces the link; a reroute without one would get another socket.
            tree.links.new(source, target).is_muted = is_muted
            back.append((source, target, old[count] if count < len(old) else len(tree.links)))
        for link in list(picture.links):
            tree.links.remove(link)
    _put_in_order(tree, back)


def _put_in_order(tree: Any, back: list[tuple[Any, Any, int]]) -> None:
    """Give links the places in the tree's list that they had; only making them anew moves them."""
    places_of = {
        (source.as_pointer(), target.as_pointer()): number for source, target, number in back
    }
    links = {_ends(link): link for link in tree.links}
    wanted = [ends for ends in links if ends not in places_of]
    for ends, number in sorted(places_of.items(), key=lambda item: item[1]):
        wanted.insert(number, ends)
    now = list(links)
    first = next((n for n, (a, b) in enumerate(zip(now, wanted, strict=True)) if a != b), len(now))
    again = [links[ends] for ends in wanted[first:]]
    if not all(
        link.is_valid and link.from_socket.enabled and link.to_socket.enabled for link in again
    ):
        return  # such links cannot be made anew
    # A reroute gets other sockets meanwhile, so they are found anew each time.
    for source, target in [
        (_SocketPlace.of(link.from_socket), _SocketPlace.of(link.to_socket)) for link in again
    ]:
        link = next(
            link for link in target.socket(tree).links if link.from_socket == source.socket(tree)
        )
        is_muted = link.is_muted
        tree.links.remove(link)
        tree.links.new(source.socket(tree), target.socket(tree)).is_muted = is_muted


@dataclasses.dataclass(frozen=True)
class _SocketPlace:
    """Where a socket is, for when Blender makes it anew."""

    node: str
    is_output: bool
    number: int

    @classmethod
    def of(cls, socket: Any) -> _SocketPlace:
        sockets = socket.node.outputs if socket.is_output else socket.node.inputs
        return cls(socket.node.name, socket.is_output, list(sockets).index(socket))

    def socket(self, tree: Any) -> Any:
        node = tree.nodes[self.node]
        return (node.outputs if self.is_output else node.inputs)[self.number]


def _ends(link: Any) -> tuple[int, int]:
    return link.from_socket.as_pointer(), link.to_socket.as_pointer()


def _inputs(node: Any) -> list[Any]:
    """Return the inputs of the node that are pictures."""
    return [socket for socket in node.inputs if socket.type == "RGBA"]


def covered_layers(tree: Any, scene: Any, layer: str) -> list[str]:
    """Return the names of the view layers, besides the captured one, that the output shows."""
    found = []
    for node in _upstream(trees.outputs(tree)):
        inside = trees.all_nodes(node.node_tree) if node.type == "GROUP" and node.node_tree else ()
        for other in (node, *inside):
            if other.type == "R_LAYERS" and (other.scene, other.layer) != (scene, layer):
                found.append(str(other.layer))
    return sorted(set(found))


def covered_effects(node: Any) -> list[str]:
    """Return the names of nodes whose work Paintover's node covers, those nearest to it first.

    They change the picture that the stylized frames replace.
    """
    found = []
    for other in _upstream(_inputs(node)):
        wraps = other.type == "GROUP" and other.node_tree and marks.is_made(other)
        inside = trees.all_nodes(other.node_tree) if wraps else [other]
        found += [str(each.name) for each in inside if _changes_a_picture(each)]
    return found


def _changes_a_picture(node: Any) -> bool:
    return not (node.mute or node.type == "REROUTE") and all(
        any(socket.type == "RGBA" and socket.is_linked for socket in sockets)
        for sockets in (node.inputs, node.outputs)
    )


def nodes_behind(tree: Any, node: Any) -> list[Any] | None:
    """Return the nodes between Paintover's node and the output, or None if it isn't rendered."""
    finals = trees.outputs(tree)
    if not finals:
        return None
    downstream, todo = set(), [node]
    while todo:
        for output in todo.pop().outputs:
            for link in output.links:
                if not link.is_muted and link.to_node.name not in downstream:
                    downstream.add(link.to_node.name)
                    todo.append(link.to_node)
    between: dict[str, Any] = {}
    for final in finals:
        upstream = _upstream([final])
        if node not in upstream:
            return None
        source = _source(final)
        if source is not None and source.node != node:
            between |= {other.name: other for other in upstream if other.name in downstream}
    return list(between.values())
