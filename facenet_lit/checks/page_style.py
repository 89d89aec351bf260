"""How the HTML page looks: light and dark, wide and on a phone."""

from __future__ import annotations

STYLE = """
:root { --ground: #fbfbfa; --card: #ffffff; --ink: #1d2024; --soft: #626971; --line: #e1e3e6; --bar: #4f7cac;
  --ok: #22783c; --look: #96660a; --stop: #b3261e; --red: #c8372d; --green: #2b8a3e; --blue: #2f67c4; }
@media (prefers-color-scheme: dark) { :root { --ground: #15171a; --card: #1d2024; --ink: #e7e9ec; --soft: #9ba3ac;
  --line: #33383e; --bar: #7ba6d6; --ok: #6cc784; --look: #e5b44c; --stop: #f28b82; --red: #f0776e; --green: #69c67f;
  --blue: #7da8f0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 880px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 0 0 4px; }
p { margin: 4px 0; overflow-wrap: anywhere; }
header p { color: var(--soft); }
header p.sum { color: var(--ink); margin: 8px 0 16px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px;
  margin: 12px 0; }
b.ok, b.look, b.stop { display: inline-block; min-width: 3.2em; padding: 0 8px; margin-right: 6px; border-radius: 6px;
  border: 1px solid; text-align: center; font-size: 0.85em; }
.ok { color: var(--ok); } .look { color: var(--look); } .stop { color: var(--stop); }
.advice { white-space: pre-line; margin-top: 8px; padding-left: 10px; border-left: 3px solid; }
.wide { overflow-x: auto; margin: 8px 0; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: 2px 14px 2px 0; text-align: right; border-bottom: 1px solid var(--line); }
th { font-weight: 500; color: var(--soft); } th:first-child, .words { text-align: left; }
tbody tr:last-child > * { border-bottom: 0; }
svg { display: block; width: 100%; height: auto; margin-top: 8px; }
svg text { fill: var(--soft); font-size: 13px; }
@media (max-width: 600px) { svg text { font-size: 18px; } }
.bar { fill: var(--bar); } .axis, .rule { fill: none; stroke: var(--line); }
.rule { stroke: var(--soft); stroke-dasharray: 4 4; }
.curve { fill: none; stroke: var(--bar); stroke-width: 2; stroke-linejoin: round; }
.curve.red { stroke: var(--red); } .curve.green { stroke: var(--green); } .curve.blue { stroke: var(--blue); }
span.red { color: var(--red); } span.green { color: var(--green); } span.blue { color: var(--blue); }
figure { margin: 10px 0; } figcaption { color: var(--soft); font-size: 0.9rem; overflow-wrap: anywhere; }
.faces { display: flex; flex-wrap: wrap; gap: 4px; }
.faces img { width: 96px; max-width: 30%; height: auto; border-radius: 4px; }
.triplets { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); gap: 12px; }
.triplets .faces { flex-wrap: nowrap; }
"""
