#!/usr/bin/env python3
"""Every page is valid HTML, passes axe-core's rules of accessibility at phone, A4 and laptop width, is not wider than the screen,
and holds nothing that runs or loads, whatever texts it was made of.

usage: tests/pages/test_validity.py PROGRAM      needs Chromium, node, and `npm ci` in tests/pages
"""
import html
import json
import pathlib
import re
import shutil
import subprocess
import sys

from browser import chromium, run_page
from pages import make_pages
from support import SKIPPED, Folder, check, finish

HERE = pathlib.Path(__file__).resolve().parent
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
VALIDATOR = HERE / "node_modules" / ".bin" / "html-validate"
WIDTHS = (390, 794, 1280)   # a phone, a sheet of A4, a laptop

# Each page in a frame of each width, looked at by axe; the page's own policy forbids scripts, so its copy goes without.
RUNNER = """<!DOCTYPE html><meta charset="utf-8"><title>looking</title><script id="axe" type="text/plain">%s</script><script>
const pages = %s, widths = %s, results = [];
const axe = document.getElementById("axe").textContent;
async function look(name, source, width) {
  const frame = document.createElement("iframe");
  frame.style.cssText = `width:${width}px;height:900px;border:0`;
  frame.srcdoc = source;
  document.body.append(frame);
  await new Promise(done => frame.onload = done);
  const inside = frame.contentDocument, result = {name, width};
  result.title = inside.title;
  result.across = inside.documentElement.scrollWidth;
  result.running = [...inside.querySelectorAll("script,img,iframe,object,embed,link,base,form,video,audio,use,image,foreignObject")].map(e => e.outerHTML.slice(0, 80));
  result.handlers = [...inside.querySelectorAll("*")].flatMap(e => [...e.attributes]).filter(a => a.name.startsWith("on") || /^(src|srcset|style)$/.test(a.name) || (/href$/.test(a.name) && !/^(#|\\d\\d\\/report\\.html$)/.test(a.value))).map(a => a.name + "=" + a.value.slice(0, 60));
  result.turned = [...inside.querySelectorAll("bdi,code,.hash")].filter(e => frame.contentWindow.getComputedStyle(e).direction === "rtl" && /^[\\x20-\\x7e]+$/.test(e.textContent)).map(e => e.textContent.slice(0, 60));
  frame.contentWindow.eval(axe);
  const told = await frame.contentWindow.axe.run();
  result.violations = told.violations.map(v => v.id + " (" + v.impact + "): " + v.nodes.length + " × " + v.nodes[0].html.slice(0, 160));
  result.passes = told.passes.length;
  frame.remove();
  results.push(result);
}
onload = async () => {
  try { for (const [name, source] of pages) for (const width of widths) await look(name, source, width); }
  catch (error) { results.push({name: "the runner itself", failed: String(error)}); }
  document.head.innerHTML = "";
  document.body.textContent = JSON.stringify(results);
  document.title = "looked";
};
</script><body></body>"""


def skip_unless_installed():
    chromium()
    missing = [what for what, there in (("node", shutil.which("node")), ("axe-core", AXE.exists()), ("html-validate", VALIDATOR.exists())) if not there]
    if missing:
        print("skipped: not installed:", ", ".join(missing), "(npm ci in tests/pages)")
        sys.exit(SKIPPED)


def validate(pages, folder):
    results = folder / "validity.json"   # a file: on a pipe a long answer is cut
    subprocess.run([VALIDATOR, "--config", HERE / "html-validate.json", "--formatter", f"json={results}", *pages], capture_output=True, check=False)
    looked_at = json.loads(results.read_text())
    for result in looked_at:
        for message in result["messages"][:5]:
            check(False, f"{result['filePath']}:{message['line']}: {message['ruleId']}: {message['message'][:200]}")


def script_text(value):
    """JSON that may stand in a script."""
    return json.dumps(value).replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def look(pages, folder):
    copies = [[str(page), re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())] for page in pages]
    runner = folder / "runner.html"
    runner.write_text(RUNNER % (AXE.read_text().replace("</script", "<\\/script"), script_text(copies), json.dumps(WIDTHS)))
    dump = run_page(runner, "--dump-dom", "--virtual-time-budget=100000", "--window-size=1400,1000")
    found = re.search(r"<body[^>]*>(.*)</body>", dump, re.S)
    return json.loads(html.unescape(found.group(1))) if found and found.group(1).startswith("[") else []


def main():
    skip_unless_installed()
    with Folder() as folder:
        pages = make_pages(sys.argv[1], folder)
        for page in pages:
            check("default-src 'none'" in page.read_text(), f"{page.name}: no policy against scripts and resources")
        validate(pages, folder)
        results = look(pages, folder)
        check(len(results) == len(pages) * len(WIDTHS), f"{len(results)} results of {len(pages)} pages: {results[-1:]}")
        for result in results:
            where = f"{'/'.join(pathlib.Path(result['name']).parts[-3:])} at {result.get('width')}"
            check("failed" not in result, f"{where}: {result.get('failed')}")
            check(result.get("title") != "executed", f"{where}: a script of the page's contents ran")
            check(result.get("across", 0) <= result.get("width", 0), f"{where}: {result.get('across')} pixels wide")
            check(result.get("passes", 0) > 15, f"{where}: axe passed only {result.get('passes')} rules")
            for kind in ("running", "handlers", "turned", "violations"):
                for what in result.get(kind, [])[:5]:
                    check(False, f"{where}: {kind}: {what}")
        print(f"{len(pages)} pages at {len(WIDTHS)} widths")
    finish()


if __name__ == "__main__":
    main()
