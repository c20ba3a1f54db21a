"""How pages look: on screens of any width, light and dark, and on paper."""

STYLE = """
:root { color-scheme: light dark;
  --paper: #fff; --ink: #1d2329; --soft: #56616b; --line: #d9dee3; --accent: #0072b2;
  --panel: #f5f7f9; --within: #d3e7f5; --near: #fdeebb; --off: #f9cfbb;
  --failed: #3f474f; --on-failed: #fff; }
@media screen and (prefers-color-scheme: dark) { :root {
  --paper: #15191d; --ink: #e4e8eb; --soft: #a3adb6; --line: #343c44; --accent: #6cb8ea;
  --panel: #1d2328; --within: #123c58; --near: #564505; --off: #6b2c10;
  --failed: #d5dade; --on-failed: #15191d; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 2.2rem 1.4rem 4rem; max-width: 66rem; color: var(--ink);
  background: var(--paper);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .7rem; padding-bottom: .25rem;
  border-bottom: 2px solid var(--accent); }
h3 { font-size: 1rem; margin: 1.7rem 0 .4rem; }
p, li { max-width: 46rem; overflow-wrap: anywhere; }
.lead { color: var(--soft); margin: 0 0 1.2rem; }
nav { font-size: .92rem; } nav a { color: var(--accent); margin-right: 1.1rem;
  display: inline-block; text-decoration: none; }
nav a:hover { text-decoration: underline; }
a { color: var(--accent); } small, .soft { color: var(--soft); } small { font-size: .82em; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr;
  gap: .25rem 1.2rem; margin: .6rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--panel); padding: .6rem .8rem; margin: .3rem 0 1rem;
  white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; border-radius: 4px; }
.scroll { overflow-x: auto; margin: 1rem 0 1.6rem; }
table { border-collapse: separate; border-spacing: 0; font-size: .9rem; width: 100%;
  max-width: 48rem; font-variant-numeric: tabular-nums; }
.wide { position: relative; left: 50%; transform: translateX(-50%); min-width: 100%;
  width: max-content; max-width: 94vw; }
.wide table { max-width: none; min-width: 48rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .28rem .8rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child, td:first-child { text-align: left; padding-left: .2rem;
  white-space: normal; overflow-wrap: break-word; min-width: 9rem; }
.scroll th:first-child, .scroll td:first-child { position: sticky; left: 0; z-index: 1;
  background: var(--paper); }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom;
  border-bottom: 1.5px solid var(--ink); }
thead tr.over th { border-bottom: 1px solid var(--line); text-align: left; }
tbody th { font-weight: 400; } tbody th[colspan] { font-weight: 600; padding-top: .8rem; }
th[colspan] span { position: sticky; left: .2rem; }
tr.all td { font-weight: 600; }
.compact th, .compact td { padding: .25rem .5rem; font-size: .85rem; }
.compact thead th { white-space: normal; min-width: 4.6rem; }
.compact td small { white-space: normal; }
.wide th, .wide td { padding: .22rem .36rem; font-size: .8rem; }
.wide thead th { min-width: 3.7rem; } .wide th:first-child { min-width: 6.5rem; }
.words td, .words th { text-align: left; white-space: normal; }
.words td:last-child { min-width: 14rem; }
td small, th small { display: block; font-weight: 400; } sup { line-height: 0; }
.apart { border-left: 2px solid var(--soft); }
.within { background: var(--within); } .near { background: var(--near); }
.off { background: var(--off); }
.within small, .near small, .off small { color: inherit; opacity: .85; }
.failed { background: var(--failed); color: var(--on-failed); }
.failed small { color: inherit; }
.key { max-width: none; }
.key span { display: inline-block; padding: 0 .5rem; margin: 0 .5rem .3rem 0;
  border-radius: 3px; }
.tiles { display: grid; gap: .8rem; margin: 1.1rem 0;
  grid-template-columns: repeat(auto-fit, minmax(13.5rem, 1fr)); }
.tile { background: var(--panel); border-left: 5px solid var(--line); border-radius: 4px;
  padding: .7rem .9rem; } .tile h3 { margin: 0; font-size: .82rem; color: var(--soft); }
.tile p { margin: .15rem 0; line-height: 1.35; }
.tile .number { font-size: 1.4rem; font-weight: 600;
  line-height: 1.25; } .tile .number small { font-size: .62em; font-weight: 400; }
.tile.within { background: var(--panel); border-color: #0072b2; }
.tile.near { background: var(--panel); border-color: #e69f00; }
.tile.off { background: var(--panel); border-color: #d55e00; }
.bar { display: flex; gap: 2px; height: 1.5rem; margin: .45rem 0; font-size: .8rem; }
.bar span { flex: 1 1 0; min-width: 2.2rem; text-align: center; border-radius: 2px;
  white-space: nowrap; overflow: hidden; }
.verdict { font-size: 1.08rem; margin: .4rem 0; }
figure { margin: 1.2rem 0 1.8rem; } figure img { max-width: 100%; height: auto;
  background: #fff; border-radius: 3px; }
figure .scroll { margin: 0; } figure .scroll img { max-width: none; }
figcaption { color: var(--soft); font-size: .9rem; max-width: 46rem; }
.gallery { display: grid; gap: .4rem 1.6rem; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 18.5rem), 1fr)); }
.gallery figure { margin: .5rem 0 .9rem; } .gallery img { width: 100%; max-width: 29rem; }
.flow { display: grid; gap: 0 1.6rem; align-items: start; grid-auto-flow: dense;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 18.5rem), 1fr)); }
.flow section { min-width: 0; } .flow section.broad { grid-column: 1 / -1; }
.gallery figcaption { font-size: .82rem; line-height: 1.4; }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--accent); }
footer { color: var(--soft); font-size: .85rem; margin-top: 3rem; }
@media screen and (max-width: 30rem) { body { padding: 1.2rem .9rem 3rem; }
  h1 { font-size: 1.4rem; } dl { grid-template-columns: minmax(5.5rem, 34%) 1fr;
  gap: .2rem .8rem; font-size: .92rem; } th, td { padding: .28rem .5rem; }
  .scroll th:first-child, .scroll td:first-child { min-width: 6.5rem; max-width: 9rem; }
  .words thead { display: none; } .words tr { display: block; padding: .5rem 0;
    border-bottom: 1px solid var(--ink); } .words caption { display: block; }
  .words table, .words tbody { display: block; }
  .words td, .words th, .words th:first-child { display: block; border: 0; max-width: none;
    padding: .1rem .3rem; } .words th { font-weight: 600; }
  .words td[data-label]::before { content: attr(data-label) ": "; color: var(--soft);
    font-size: .82em; } .words td small { display: inline; margin-left: .4rem; }
  .words .off::before, .words .near::before { color: inherit; }
  .tiles { grid-template-columns: 1fr 1fr; gap: .5rem; grid-auto-flow: dense; }
  .tile { padding: .5rem .6rem; }
  .tile.broad { grid-column: 1 / -1; } .tile .number { font-size: 1.2rem; } }
@page { margin: 14mm; }
@page broad { size: A4 landscape; margin: 11mm; }
@media print { body { font-size: 10pt; padding: 0; max-width: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  nav, summary { display: none; } details::details-content { content-visibility: visible;
    block-size: auto; } .scroll { overflow: visible; } table { font-size: 8.5pt; }
  th, td { padding: .15rem .5rem; } h2, h3, caption { break-after: avoid; }
  details.screen { display: none; } .across { page: broad; }
  .scroll th:first-child, .scroll td:first-child { position: static; }
  tr, figure, .tile { break-inside: avoid; } thead { display: table-header-group; }
  figure img, figure .scroll img { max-width: 100%; max-height: 22cm; }
  .flow { display: block; } .gallery { grid-template-columns: 1fr 1fr; }
  .gallery img { max-width: 8.4cm; }
  .tiles { grid-template-columns: repeat(4, 1fr); }
  .wide { position: static; transform: none; width: auto;
    max-width: none; }
  .wide table { min-width: 0; width: 100%; }
  .wide th, .wide td { font-size: 6.8pt; padding: .12rem .22rem; }
  .wide thead th { min-width: 0; } .wide th:first-child { min-width: 5rem; } }
"""
