/* SPDX-License-Identifier: MIT */
/*
 * The style sheet of the page. Colours are variables with a value for light and one for dark; all pairs of
 * text and ground have a contrast of at least 4.5 (WCAG 2.2, 1.4.3). Figures switch what they count off by
 * :has(); where a browser does not know it, all is shown. Tabs are radio buttons. On paper all panes are
 * open.
 */
#include "check/report_html.h"

/* clang-format off: a line is a line */
const char *const stet__page_style[] = {
    ":root { color-scheme: light dark; --paper: #f7f5f0; --card: #fffefb; --ink: #22211f; --quiet: #69655e; "
    "--line: #e2ddd2; --raised: #f3f0e8; --pencil: #a3271d;",
    "  --bad: #b3261e; --warn: #8f5f00; --note: #2860a8; --good: #1b7a48; --bad-wash: #fbeae8; "
    "--warn-wash: #fbf1dc; --note-wash: #e8f0fa; --good-wash: #e5f4ea;",
    "  --shadow: 0 1px 2px rgb(60 50 30 / .08), 0 4px 16px rgb(60 50 30 / .05); }",
    "@media (prefers-color-scheme: dark) { :root { --paper: #141518; --card: #1c1e22; --ink: #e6e3dc; "
    "--quiet: #a5a097; --line: #32343a; --raised: #24262b; --pencil: #ff9284;",
    "  --bad: #ff8f85; --warn: #efb94f; --note: #86b8f2; --good: #74d19c; --bad-wash: #3a2220; "
    "--warn-wash: #352b17; --note-wash: #1d2a3a; --good-wash: #1a3024;",
    "  --shadow: 0 1px 2px rgb(0 0 0 / .4); } }",
    "* { box-sizing: border-box; }",
    "html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }",
    "body { margin: 0; background: var(--paper); color: var(--ink); "
    "font: 1rem/1.55 system-ui, -apple-system, \"Segoe UI\", Roboto, \"Noto Sans\", \"DejaVu Sans\", "
    "sans-serif; }",
    "code, pre { font-family: ui-monospace, \"Cascadia Mono\", \"DejaVu Sans Mono\", Menlo, Consolas, "
    "monospace; font-size: .84em; }",
    "pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }",
    "a { color: inherit; text-decoration-color: var(--pencil); text-decoration-thickness: 1px; "
    "text-underline-offset: .18em; }",
    "a:hover { text-decoration-thickness: 2px; }",
    ":focus-visible { outline: 2px solid var(--pencil); outline-offset: 2px; }",
    "p, h1, h2, h3, dl, dd, ul, ol, figure { margin: 0; padding: 0; }",
    "ul, ol { list-style: none; }",
    "summary { cursor: pointer; }",
    ".skip { position: absolute; left: -99rem; }",
    ".skip:focus { left: 1rem; top: .5rem; }",
    ".top, main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }",
    ".top { display: flex; align-items: baseline; gap: .5rem; padding-top: 1.25rem; color: var(--quiet); }",
    ".top time { margin-left: auto; font-size: .88rem; }",
    ".mark { color: var(--ink); "
    "font: 700 1.5rem/1.2 Charter, \"Bitstream Charter\", Cambria, Georgia, serif; "
    "text-decoration: underline dotted var(--pencil) .14em; text-underline-offset: .22em; }",
    "footer { padding-top: 2rem; padding-bottom: 3rem; color: var(--quiet); font-size: .86rem; "
    "display: flex; flex-wrap: wrap; gap: .2rem 2rem; justify-content: space-between; }",
    ".grade { display: inline-grid; place-items: center; flex: none; min-width: 1.9em; height: 1.9em; "
    "padding: 0 .3em; border-radius: .42em; background: #69655e; color: #fff; font-weight: 750; "
    "letter-spacing: -.02em; line-height: 1; }",
    ".grade.A { background: #1b7a48; } .grade.B { background: #4a7c17; } .grade.C { background: #8f6400; "
    "} .grade.D { background: #b54708; } .grade.F { background: #b3261e; }",
    ".summary { display: flex; gap: 1.6rem; align-items: flex-start; margin: 1.4rem 0 1.6rem; "
    "padding: 1.5rem; border: 1px solid var(--line); border-radius: 14px; background: var(--card); "
    "box-shadow: var(--shadow); }",
    ".summary > .grade { font-size: 3.4rem; }",
    ".summary > div { flex: 1; min-width: 0; }",
    "h1 { font-size: 1.45rem; line-height: 1.25; letter-spacing: -.01em; overflow-wrap: anywhere; }",
    "h1 small { color: var(--quiet); font-size: .7em; font-weight: 500; }",
    ".done { margin-top: .2rem; color: var(--quiet); }",
    ".counts { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0 .9rem; }",
    ".count { display: inline-flex; align-items: center; gap: .4rem; padding: .22rem .75rem; "
    "border-radius: 99px; font-size: .92rem; }",
    ".count.bad { background: var(--bad-wash); color: var(--bad); "
    "} .count.warn { background: var(--warn-wash); color: var(--warn); }",
    ".count.note { background: var(--note-wash); color: var(--note); "
    "} .count.good { background: var(--good-wash); color: var(--good); }",
    ".count.none { background: none; box-shadow: inset 0 0 0 1px var(--line); color: var(--quiet); }",
    ".count input { display: none; margin: 0; color: inherit; accent-color: currentColor; }",
    ".bar { display: flex; gap: 2px; height: 6px; border-radius: 3px; overflow: hidden; }",
    ".bar i { flex: 1 1 0; min-width: 3px; }",
    ".bar .bad { background: var(--bad); } .bar .warn { background: var(--warn); "
    "} .bar .note { background: var(--note); } .bar .good { background: var(--good); }",
    "@supports selector(:has(a)) {",
    "  .count input { display: inline-block; }",
    "  .count:has(input) { cursor: pointer; }",
    "  .count:has(input:not(:checked)) { opacity: .55; text-decoration: line-through; }",
    "  body:has(#show-bad:not(:checked)) .resource > .bad, body:has(#show-warn:not(:checked)) .resource > "
    ".warn,",
    "  body:has(#show-note:not(:checked)) .resource > .note, "
    "body:has(#show-good:not(:checked)) .resource > .good { display: none; }",
    "}",
    ".scroll { overflow-x: auto; margin-bottom: 1.6rem; border: 1px solid var(--line); border-radius: 14px; "
    "background: var(--card); box-shadow: var(--shadow); }",
    ".resources { width: 100%; border-collapse: collapse; font-size: .92rem; }",
    ".resources th { padding: .6rem .8rem; text-align: left; color: var(--quiet); font-weight: 600; "
    "font-size: .84rem; border-bottom: 1px solid var(--line); }",
    ".resources td { padding: .42rem .8rem; border-bottom: 1px solid var(--line); }",
    ".resources tr:last-child td { border-bottom: 0; }",
    ".resources td:nth-child(2) { overflow-wrap: anywhere; min-width: 14rem; }",
    ".n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }",
    "td.bad { color: var(--bad); font-weight: 700; } td.warn { color: var(--warn); font-weight: 700; "
    "} td.note { color: var(--note); } td.good { color: var(--good); } td.none { color: var(--quiet); "
    "opacity: .6; }",
    ".resources th.n { text-align: right; }",
    ".role { padding: .05rem .5rem; border-radius: 99px; background: var(--raised); color: var(--quiet); "
    "font-size: .78rem; font-weight: 500; vertical-align: .1em; }",
    ".resource { margin-top: 2.4rem; }",
    "h2 { display: flex; align-items: center; gap: .7rem; margin-bottom: .8rem; font-size: 1.12rem; "
    "line-height: 1.3; overflow-wrap: anywhere; }",
    "h2 .grade { font-size: .95rem; }",
    "h2 span:not(.grade) { min-width: 0; }",
    ".facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .5rem 1.6rem; "
    "margin-bottom: 1.1rem; padding: .8rem 1.1rem; border-radius: 10px; background: var(--raised); "
    "font-size: .9rem; }",
    ".facts dt { color: var(--quiet); font-size: .78rem; }",
    ".facts dd { font-family: ui-monospace, \"Cascadia Mono\", \"DejaVu Sans Mono\", Menlo, Consolas, "
    "monospace; font-size: .86em; overflow-wrap: anywhere; max-height: 8rem; overflow-y: auto; }",
    ".failure { margin-bottom: .8rem; padding: .7rem 1.1rem; border-radius: 10px; "
    "background: var(--bad-wash); color: var(--bad); overflow-wrap: anywhere; }",
    ".finding, .right, .exchanges { margin-bottom: .8rem; border: 1px solid var(--line); "
    "border-radius: 12px; background: var(--card); box-shadow: var(--shadow); }",
    ".finding { padding: 1rem 1.2rem 1.1rem; border-left: 4px solid var(--tone); break-inside: avoid; }",
    ".finding.bad { --tone: var(--bad); --wash: var(--bad-wash); } .finding.warn { --tone: var(--warn); "
    "--wash: var(--warn-wash); } .finding.note { --tone: var(--note); --wash: var(--note-wash); }",
    ".finding:target, .exchanges li:target { outline: 2px solid var(--pencil); outline-offset: 2px; }",
    "h3 { display: flex; gap: .6rem; font-size: 1.02rem; line-height: 1.4; font-weight: 650; }",
    ".sign { flex: none; display: inline-grid; place-items: center; width: 1.4rem; height: 1.4rem; "
    "border-radius: 50%; background: var(--wash); color: var(--tone); font-size: .86rem; font-weight: 800; }",
    ".finding > :not(h3) { margin-left: 2rem; }",
    ".meta { display: flex; flex-wrap: wrap; gap: .1rem .9rem; margin-top: .15rem; color: var(--quiet); "
    "font-size: .86rem; align-items: baseline; }",
    ".severity { color: var(--tone); font-weight: 650; }",
    ".detail { margin-top: .5rem; overflow-wrap: anywhere; font-size: .94rem; }",
    ".detail b { font-weight: 600; }",
    ".octets b { font-weight: 650; }",
    ".octets { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); "
    "gap: .6rem; margin-top: .7rem; }",
    ".octets > div { min-width: 0; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; "
    "background: var(--raised); }",
    ".octets dt { padding: .2rem .7rem; border-bottom: 1px solid var(--line); color: var(--quiet); "
    "font-size: .78rem; font-weight: 600; }",
    ".octets pre { padding: .45rem .7rem; max-height: 14rem; overflow: auto; }",
    ".why { margin-top: .7rem; color: var(--quiet); font-size: .94rem; }",
    ".why b { color: var(--ink); font-weight: 600; }",
    ".tabs { display: flex; flex-wrap: wrap; gap: 0 .2rem; margin-top: .7rem; padding: 0; border: 0; "
    "min-width: 0; }",
    ".tabs legend { float: left; padding: .25rem .8rem .25rem 0; font-size: .94rem; font-weight: 600; }",
    ".tabs input { position: absolute; opacity: 0; pointer-events: none; }",
    ".tabs label { padding: .25rem .8rem; border-radius: 8px 8px 0 0; color: var(--quiet); "
    "font-size: .88rem; cursor: pointer; }",
    ".tabs label:hover { color: var(--ink); }",
    ".tabs input:checked + label { background: var(--raised); color: var(--ink); font-weight: 600; }",
    ".tabs input:focus-visible + label { outline: 2px solid var(--pencil); outline-offset: -2px; }",
    ".tabs pre { display: none; order: 1; width: 100%; padding: .7rem .9rem; border-radius: 8px; "
    "background: var(--raised); }",
    ".tabs pre i { color: var(--quiet); }",
    ".tabs input:nth-of-type(1):checked ~ pre:nth-of-type(1), "
    ".tabs input:nth-of-type(2):checked ~ pre:nth-of-type(2),",
    ".tabs input:nth-of-type(3):checked ~ pre:nth-of-type(3), "
    ".tabs input:nth-of-type(4):checked ~ pre:nth-of-type(4) { display: block; }",
    ".right > summary, .exchanges > summary { padding: .75rem 1.2rem; font-weight: 600; font-size: .96rem; }",
    ".right { --tone: var(--good); --wash: var(--good-wash); }",
    ".right .sign { margin-right: .5rem; }",
    ".right ul { padding: .2rem 1.2rem 1rem 2.4rem; columns: 24rem; column-gap: 2.4rem; font-size: .92rem; }",
    ".right li { margin-bottom: .35rem; break-inside: avoid; }",
    ".right code { color: var(--quiet); white-space: nowrap; }",
    ".exchanges .key { padding: 0 1.2rem .5rem; color: var(--quiet); font-size: .88rem; }",
    ".exchanges ol { padding: 0 .6rem .8rem; font-size: .9rem; }",
    ".exchanges li > details > summary { display: grid; "
    "grid-template-columns: 2.2rem minmax(9rem, 1.4fr) 3.2rem 6rem 5.5rem minmax(5rem, 1fr); gap: .8rem; "
    "align-items: center; padding: .22rem .6rem; border-radius: 6px; list-style: none; }",
    ".exchanges li > details > summary::-webkit-details-marker { display: none; }",
    ".exchanges li > details > summary:hover, "
    ".exchanges li > details[open] > summary { background: var(--raised); }",
    ".exchanges .n { color: var(--quiet); }",
    ".probe { overflow-wrap: anywhere; }",
    ".status { justify-self: start; padding: 0 .45rem; border-radius: 5px; background: var(--raised); "
    "font-weight: 650; font-variant-numeric: tabular-nums; font-size: .86rem; }",
    ".status.s2 { background: var(--note-wash); color: var(--note); "
    "} .status.s3 { background: var(--good-wash); color: var(--good); }",
    ".status.s4 { background: var(--warn-wash); color: var(--warn); "
    "} .status.s5, .status.s0 { background: var(--bad-wash); color: var(--bad); }",
    ".track { position: relative; height: .5rem; border-radius: 99px; background: var(--raised); }",
    ".track i { position: absolute; top: 0; height: 100%; min-width: 3px; border-radius: 99px; "
    "background: var(--pencil); opacity: .75; }",
    ".exchanges li p { padding: .4rem .6rem 0 3.6rem; color: var(--quiet); }",
    ".exchanges li p.failure { margin: .4rem .6rem .4rem 3.6rem; padding: .4rem .8rem; color: var(--bad); }",
    ".heads { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); "
    "gap: .6rem; padding: .5rem .6rem .9rem 3.6rem; }",
    "figure { min-width: 0; }",
    "figcaption { color: var(--quiet); font-size: .78rem; font-weight: 600; }",
    "figure pre { margin-top: .2rem; padding: .55rem .75rem; border: 1px solid var(--line); "
    "border-radius: 8px; background: var(--raised); max-height: 24rem; overflow: auto; }",
    "@media (max-width: 42rem) {",
    "  .top, main, footer { padding-left: .9rem; padding-right: .9rem; }",
    "  .summary { flex-direction: column; gap: 1rem; padding: 1.1rem; }",
    "  .summary > .grade { font-size: 2.4rem; }",
    "  .summary > div { width: 100%; }",
    "  h1 { font-size: 1.2rem; }",
    "  .finding { padding: .9rem .95rem; }",
    "  .facts { grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .5rem 1rem; }",
    "  .resources th, .resources td { padding-left: .5rem; padding-right: .5rem; }",
    "  .resources td:nth-child(2) { min-width: 11rem; }",
    "  .tabs legend { float: none; width: 100%; }",
    "  .finding > :not(h3) { margin-left: 0; }",
    "  .exchanges li > details > summary { grid-template-columns: 1.8rem 1fr 3rem 4.6rem; gap: .5rem; }",
    "  .exchanges .size, .track { display: none; }",
    "  .exchanges li p { padding-left: .6rem; }",
    "  .exchanges li p.failure, .heads { margin-left: 0; padding-left: .6rem; }",
    "  .right ul { padding-left: 1.2rem; }",
    "}",
    "@media print {",
    "  :root { color-scheme: light; --paper: #fff; --card: #fff; --shadow: none; }",
    "  body { font-size: 10pt; }",
    "  .top, main, footer { max-width: none; padding-left: 0; padding-right: 0; }",
    "  .skip, .count input { display: none !important; }",
    "  .grade, .bar i, .count, .status, .sign { print-color-adjust: exact; -webkit-print-color-adjust: "
    "exact; }",
    "  .tabs input, .tabs label { display: none; }",
    "  .tabs pre { display: block; margin-bottom: .3rem; border: 1px solid var(--line); }",
    "  .tabs pre::before { content: attr(data-server); display: block; font-weight: 700; }",
    "  .octets pre, figure pre, .facts dd { max-height: none; overflow: visible; }",
    "}",
    "@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }",
    NULL,
};
/* clang-format on */
