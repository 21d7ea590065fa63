"""The colours and type of every picture, once for light screens and once for dark ones."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["FONT", "HEAT", "MONO", "SERIES", "Pair", "colour", "stylesheet"]

# Fonts that exist: the first three have the same metrics, the fourth is on nearly every Linux.
FONT = "Helvetica,Arial,'Liberation Sans','DejaVu Sans',sans-serif"
MONO = "'DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace"


class Pair(NamedTuple):
    """A colour for light and for dark backgrounds, both with six digits."""

    light: str
    dark: str


_COLOURS = {
    "paper": Pair("#ffffff", "#14161b"),
    "ink": Pair("#1b1f27", "#e8eaf0"),
    "muted": Pair("#5b6472", "#a3acbb"),
    "line": Pair("#6b7686", "#8d98aa"),
    "grid": Pair("#e3e6eb", "#2c313b"),
    "axis": Pair("#8a94a3", "#707a8a"),
    "op": Pair("#ffffff", "#2a303c"),
    "op-edge": Pair("#6b7686", "#8d98aa"),
    "leaf": Pair("#dcebfc", "#1b3c63"),
    "leaf-edge": Pair("#3a78bd", "#6fabec"),
    "output": Pair("#dff3e2", "#1d4528"),
    "output-edge": Pair("#35884a", "#69c07c"),
    "group0": Pair("#f7f8fa", "#1a1d24"),
    "group1": Pair("#eef1f5", "#20242d"),
    "group2": Pair("#e5e9f0", "#272c37"),
    "group-edge": Pair("#c3cad5", "#414957"),
    "module": Pair("#e9e4f6", "#352c4f"),
    "module-edge": Pair("#7a5fb8", "#a48ce0"),
    "zero": Pair("#c9ced6", "#4d5563"),
    "warn": Pair("#b3261e", "#ff8a80"),
    "bar": Pair("#2f6fb5", "#6fabec"),
    "bar-soft": Pair("#a9c9ec", "#2f4f74"),
    "dot": Pair("#b4540a", "#ffa65c"),
}

# Distinguishable for the colour-blind, and dark (or light) enough for a line of 1.6 pixels.
SERIES = (
    Pair("#1f66ad", "#74b3f3"),
    Pair("#c2500b", "#ff9d60"),
    Pair("#14795a", "#5fd0a5"),
    Pair("#8b3f98", "#d79be3"),
    Pair("#8a6a00", "#e0c04f"),
    Pair("#0f7482", "#5fd0e0"),
    Pair("#a8325e", "#f58fb3"),
    Pair("#4f5665", "#b9c1cf"),
)

# Sizes of gradients, from the smallest to the largest: light to dark in one direction (so it also
# reads in grey), from blue to red, and the ink that stands on each.
HEAT = (
    ("#e4f0fb", "#1b1f27"),
    ("#b5d7f2", "#1b1f27"),
    ("#8cc4c9", "#1b1f27"),
    ("#b9cf8a", "#1b1f27"),
    ("#f0c24d", "#1b1f27"),
    ("#ee9142", "#1b1f27"),
    ("#da5a3a", "#ffffff"),
    ("#ac2a3c", "#ffffff"),
    ("#6e1437", "#ffffff"),
)


def colour(name: str, mode: Literal["light", "dark"] = "light") -> str:
    """A colour of the palette by name, for renderers without a stylesheet (``dot``)."""
    if name.startswith(("heat", "ink-on-heat")):
        return HEAT[int(name[-1])][0 if name.startswith("heat") else 1]
    pair = _COLOURS[name]
    return pair.dark if mode == "dark" else pair.light


# selector -> properties; a value "@name" is a colour, written once per mode.
_COMMON = {
    "": {"color-scheme": "light dark"},
    ".paper": {"fill": "@paper"},
    "text": {"fill": "@ink", "font-family": FONT, "font-size": "11px"},
    "text.muted": {"fill": "@muted"},
    "text.title": {"font-size": "14px", "font-weight": "600"},
    "text.strong": {"font-weight": "600"},
    "text.warn": {"fill": "@warn"},
    "text.small": {"font-size": "10px"},
    "text.mono": {"font-family": MONO, "font-size": "12px"},
}
_GRAPH = {
    ".node rect": {"fill": "@op", "stroke": "@op-edge"},
    ".node.leaf rect": {"fill": "@leaf", "stroke": "@leaf-edge"},
    ".node.output rect": {"fill": "@output", "stroke": "@output-edge", "stroke-width": "1.5"},
    ".node.module rect": {
        "fill": "@module",
        "stroke": "@module-edge",
        "stroke-width": "1.5",
    },
    ".node.cut rect": {"fill": "@paper", "stroke": "@muted", "stroke-dasharray": "3 2"},
    ".node text": {"text-anchor": "middle"},
    ".node text.detail": {"fill": "@muted", "font-size": "10px"},
    ".node.leaf text.detail, .node.output text.detail, .node.module text.detail": {"fill": "@ink"},
    ".group0": {"fill": "@group0", "stroke": "@group-edge"},
    ".group1": {"fill": "@group1", "stroke": "@group-edge"},
    ".group2": {"fill": "@group2", "stroke": "@group-edge"},
    ".edge path": {"fill": "none", "stroke": "@line", "stroke-width": "1.1"},
    ".edge path.tip": {"fill": "@line", "stroke": "none"},
    "text.halo": {
        "font-size": "10px",
        "fill": "@muted",
        "stroke": "@paper",
        "stroke-width": "3",
        "stroke-linejoin": "round",
        "paint-order": "stroke",
    },
    "text.halo0": {"stroke": "@group0"},
    "text.halo1": {"stroke": "@group1"},
    "text.halo2": {"stroke": "@group2"},
}
_CHART = {
    ".grid": {"stroke": "@grid", "stroke-width": "1"},
    ".axis": {"stroke": "@axis", "stroke-width": "1", "fill": "none"},
    ".bar": {"fill": "@bar"},
    ".soft": {"fill": "@bar-soft"},
    ".dot": {"fill": "@dot"},
    ".whisker": {"stroke": "@bar", "stroke-width": "1.5"},
    ".warnmark": {"stroke": "@warn", "stroke-width": "1.6", "fill": "none"},
    ".line": {
        "fill": "none",
        "stroke-width": "1.7",
        "stroke-linejoin": "round",
        "stroke-linecap": "round",
    },
    ".thin": {"stroke-width": "1.3"},
    ".faint": {"stroke-width": "0.8", "stroke-opacity": "0.4"},
    ".spread": {"fill-opacity": "0.2"},
    ".band": {"fill": "@grid", "fill-opacity": "0.7"},
    ".card": {"fill": "@group0", "stroke": "@group-edge"},
    ".ridge": {"fill": "@bar-soft", "stroke": "@paper", "stroke-width": "1"},
    ".age1": {"fill-opacity": "0.35"},
    ".age2": {"fill-opacity": "0.6"},
    ".age3": {"fill-opacity": "0.8"},
    ".age4": {"fill": "@bar"},
    ".frame": {"fill": "none", "stroke": "@grid", "stroke-width": "1"},
    ".cell": {"fill": "@paper", "stroke": "@grid", "stroke-width": "1"},
    ".hit": {"fill": "@bar"},
    ".miss": {"fill": "@dot"},
    "text.on": {"fill": "@paper"},
    ".zeros": {"fill": "@muted"},
    ".dash1": {"stroke-dasharray": "6 4"},
    ".dash2": {"stroke-dasharray": "1.5 3.5"},
    ".dash3": {"stroke-dasharray": "8 3 1.5 3"},
}
_HEAT: dict[str, dict[str, str]] = {
    ".nograd": {"fill": "@op", "stroke": "@op-edge"},
    ".node.zero rect, .zero": {"fill": "@zero"},
    ".node.bad rect, .bad": {"fill": "@warn"},
    ".node.bad text, .node.bad text.detail": {"fill": "@paper"},
}
for _i in range(len(HEAT)):
    _HEAT[f".node.heat{_i} rect, .heat{_i}"] = {"fill": f"@heat{_i}"}
    _HEAT[f".node.heat{_i} text, .node.heat{_i} text.detail"] = {"fill": f"@ink-on-heat{_i}"}
_KINDS = {"graph": _GRAPH, "heat": {**_GRAPH, **_HEAT}, "chart": _CHART}


def stylesheet(kind: str, name: str) -> str:
    """The CSS of one picture: every rule scoped to the element with this id.

    Custom properties would say each colour once, but Inkscape and librsvg do not know them, and
    pictures go through those into papers: so the rules with colours are written once per mode.
    """
    rules = {**_COMMON, **_KINDS[kind]}
    if kind == "chart":
        for index in range(len(SERIES)):
            rules[f".s{index}"] = {"stroke": f"@s{index}"}
            rules[f".f{index}"] = {"fill": f"@s{index}"}
    light = _rules(rules, name, "light", only_colours=False)
    dark = _rules(rules, name, "dark", only_colours=True)
    return f"{light}@media (prefers-color-scheme:dark){{{dark}}}"


def _rules(
    rules: dict[str, dict[str, str]],
    name: str,
    mode: Literal["light", "dark"],
    *,
    only_colours: bool,
) -> str:
    out = []
    for selector, properties in rules.items():
        body = []
        for key, value in properties.items():
            if value.startswith("@s") and value[2:].isdigit():
                pair = SERIES[int(value[2:])]
                value = pair.dark if mode == "dark" else pair.light
            elif value.startswith("@"):
                value = colour(value[1:], mode)
            elif only_colours:
                continue
            body.append(f"{key}:{value}")
        if body:
            scoped = ",".join(f"#{name} {part.strip()}".strip() for part in selector.split(","))
            out.append(f"{scoped}{{{';'.join(body)}}}")
    return "".join(out)
