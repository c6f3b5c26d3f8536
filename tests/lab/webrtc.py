#!/usr/bin/env python3
"""Two Chromiums in two namespaces call each other with their fake camera and microphone.

As a program (webrtc.py PORT) it is the little web server that hands out the page and passes messages on between the two.
"""
import http.server
import queue
import sys
import urllib.parse

import lab as lab_module

PORT = 8080
PAGE = """<!doctype html><title>call</title><script>
const parameters = new URLSearchParams(location.search), me = parameters.get('me'), other = me == 'caller' ? 'callee' : 'caller';
const log = text => fetch('/log', {method: 'POST', body: me + ' ' + text});
const send = message => fetch('/mail?to=' + other, {method: 'POST', body: JSON.stringify(message)});
const connection = new RTCPeerConnection();
let restarting = false;
async function offer(options) {
  await connection.setLocalDescription(await connection.createOffer(options));
  await send({description: connection.localDescription});
}
connection.onicecandidate = event => { if (event.candidate) send({candidate: event.candidate}); };
connection.oniceconnectionstatechange = () => {
  log(connection.iceConnectionState);
  if (connection.iceConnectionState == 'connected') restarting = false;
  if (me == 'caller' && ['disconnected', 'failed'].includes(connection.iceConnectionState) && !restarting) {
    restarting = true; offer({iceRestart: true}); setTimeout(() => restarting = false, 5000);
  }
};
connection.ontrack = event => {
  const player = document.createElement(event.track.kind); player.srcObject = new MediaStream([event.track]);
  player.autoplay = true; player.muted = true; document.body.append(player);
};
async function listen() {
  for (;;) {
    const answer = await fetch('/mail?for=' + me).catch(() => null);
    if (!answer || answer.status != 200) { await new Promise(done => setTimeout(done, 300)); continue; }
    const message = await answer.json();
    if (message.candidate) await connection.addIceCandidate(message.candidate).catch(error => log(error));
    if (!message.description) continue;
    await connection.setRemoteDescription(message.description);
    if (message.description.type == 'offer') {
      await connection.setLocalDescription(await connection.createAnswer());
      await send({description: connection.localDescription});
    }
  }
}
(async () => {
  const video = parameters.get('video') ? {width: 320, height: 240, frameRate: 15} : false;
  const media = await navigator.mediaDevices.getUserMedia({audio: true, video});
  for (const track of media.getTracks()) connection.addTrack(track, media);
  listen();
  if (me == 'caller') offer(); else log('waiting');
})().catch(error => log('failed: ' + error));
</script>"""


class Exchange(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    boxes = {"caller": queue.Queue(), "callee": queue.Queue()}

    def answer(self, status, body=b"", kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path != "/mail":
            return self.answer(200 if url.path == "/" else 404, PAGE.encode(), "text/html")
        try:
            self.answer(200, self.boxes[urllib.parse.parse_qs(url.query)["for"][0]].get(timeout=20))
        except queue.Empty:
            self.answer(204)

    def do_POST(self):
        url, body = urllib.parse.urlsplit(self.path), self.rfile.read(int(self.headers["Content-Length"]))
        if url.path == "/mail":
            self.boxes[urllib.parse.parse_qs(url.query)["to"][0]].put(body)
        else:
            print(body.decode(errors="replace"), flush=True)
        self.answer(204)

    def log_message(self, *_):
        pass


class Call:
    """The caller is in the namespace "client", the callee and the web server in "server"."""

    def __init__(self, lab, video=False):
        lab_module.need("chromium")
        self.lab = lab
        self.web = lab.start("server", [sys.executable, __file__, str(PORT)], wait_for="ready")
        self.callee = self.browser("server", "callee", video)
        lab.wait(lambda: self.said("callee waiting"), 40, "the callee's page", self.callee)
        self.caller = self.browser("client", "caller", video)
        lab.wait(lambda: self.said("caller connected"), 40, "the call", self.caller)

    def browser(self, who, me, video):
        origin = f"http://{lab_module.SERVER}:{PORT}"
        profile = self.lab.folder / f"chromium-{me}"
        return self.lab.start(who, ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
            "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required",
            "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--disable-features=WebRtcHideLocalIpsWithMdns",
            f"--unsafely-treat-insecure-origin-as-secure={origin}", f"--user-data-dir={profile}",
            f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {lab_module.SERVER}",   # no look-ups of its own in the capture
            f"{origin}/?me={me}" + ("&video=1" if video else "")])

    def said(self, words):
        return words in self.web.log.read_text(errors="replace")

    def end(self):
        self.lab.stop(self.caller)
        self.lab.stop(self.callee)


def main():
    server = http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Exchange)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
