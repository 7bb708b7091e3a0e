# SPDX-License-Identifier: MIT
"""
Node-RED, a Node application, behind stet proxy: an editor with a megabyte of script that is validated at each use, a login for a bearer
token, a WebSocket, flows that are deployed by POST, and an end point that such a flow makes.
"""

import json
import os
import tempfile

import behind

SETTINGS = """module.exports = {{
    uiHost: "127.0.0.1", uiPort: {port}, userDir: {work}, diagnostics: {{ enabled: false }},
    telemetry: {{ enabled: false, updateNotification: false }}, editorTheme: {{ tours: false }},
    adminAuth: {{ type: "credentials", users: [
        {{ username: "admin", password: require({bcrypt}).hashSync("secret", 4), permissions: "*" }} ] }},
}};
"""
LOGIN = """(async () => { const answer = await fetch('auth/token', { method: 'POST', body: new URLSearchParams(
    { client_id: 'node-red-editor', grant_type: 'password', scope: '*', username: 'admin', password: 'secret' }) });
window.token = (await answer.json()).access_token; return [answer.status, typeof token]; })()"""
FLOW = [
    {"id": "t1", "type": "tab", "label": "one"},
    {"id": "h1", "type": "http in", "z": "t1", "url": "/hello", "method": "get", "wires": [["c1"]]},
    {"id": "c1", "type": "change", "z": "t1", "rules": [{"t": "set", "p": "payload", "pt": "msg", "to": "from a flow", "tot": "str"}],
     "wires": [["r1"]]},
    {"id": "r1", "type": "http response", "z": "t1", "statusCode": "200", "headers": {"Cache-Control": "max-age=60"}, "wires": []},
]
DEPLOY = """(async () => { const answer = await fetch('flows', { method: 'POST', body: %s, headers: { 'Content-Type': 'application/json',
    'Authorization': 'Bearer ' + token } }); return answer.status; })()"""
SOCKET = """new Promise((done) => { const socket = new WebSocket('ws://' + location.host + '/comms');
socket.onopen = () => socket.send(JSON.stringify({ auth: token }));
socket.onmessage = (event) => { done(JSON.stringify(JSON.parse(event.data))); socket.close(); };
socket.onerror = () => done('error'); })"""

HELLO = """(async () => { for (let i = 0; i < 100; i++) { const answer = await fetch('/hello');
    if (answer.status === 200) return answer.text(); await new Promise((done) => setTimeout(done, 50)); } return 'never'; })()"""


def editor(tap, browser, proxy, origin_port, url):
    browser.go(url)
    tap.same("the editor loads", browser.evaluate("typeof RED"), "object")
    first = {record["target"]: record for record in proxy.log()}
    script = next((target for target in first if target.startswith("red/red.min.js") or "/red/red.min.js" in target), None)
    tap.same("with its script from the origin", first.get(script, {}).get("status"), 200)
    browser.reload()
    tap.same("reloaded, it loads again", browser.evaluate("typeof RED"), "object")
    second = {record["target"]: record for record in proxy.log()}
    tap.same("the script with 304", second.get(script, {}).get("status"), 304)
    status, _, body = behind.get(proxy.port, script)
    record = proxy.log()[-1]
    tap.same("a visitor without it gets all of it, validated at the origin and out of the store",
             (status, body == behind.get(origin_port, script)[2], "fwd-status=304" in record["cache"]), (200, True, True))


def flows(tap, browser, proxy):
    tap.same("a token by POST", browser.evaluate(LOGIN), [200, "string"])
    tap.same("the WebSocket speaks through the tunnel", "auth" in browser.evaluate(SOCKET), True)
    tap.same("a flow is deployed by POST", browser.evaluate(DEPLOY % json.dumps(json.dumps(FLOW))), 204)
    # Flows start a moment after the answer to their deployment; a 404 until then must not stick.
    tap.same("its end point answers", browser.evaluate(HELLO), "from a flow")
    proxy.log()
    status, fields, body = behind.get(proxy.port, "/hello")
    tap.same("and is in the store for its minute", (status, body, ";hit" in fields["Cache-Status"]), (200, b"from a flow", True))
    status, _, body = behind.get(proxy.port, "/hello", **{"If-None-Match": fields["ETag"]})
    tap.same("with its tag it is a 304", (status, body), (304, b""))
    status, fields, _ = behind.get(proxy.port, "/flows")
    tap.same("what needs the token is not given away", (status, "hit" in (fields["Cache-Status"] or "")), (401, False))
    behind.picture(browser, "node-red")


def judge(tap, browser):
    modules = os.path.join(behind.TOP, "build", "npm", "node_modules")
    with tempfile.TemporaryDirectory(prefix="stet-node-red-") as work:
        port = behind.free_port()
        settings = os.path.join(work, "settings.js")
        with open(settings, "w", encoding="ascii") as file:
            file.write(SETTINGS.format(port=port, work=json.dumps(work), bcrypt=json.dumps(os.path.join(modules, "bcryptjs"))))
        command = ["node", os.path.join(modules, "node-red", "red.js"), "-s", settings]
        with behind.program(command, port, cwd=work), behind.proxy(port) as proxy:
            url = f"http://127.0.0.1:{proxy.port}/"
            editor(tap, browser, proxy, port, url)
            flows(tap, browser, proxy)


behind.run(judge)
