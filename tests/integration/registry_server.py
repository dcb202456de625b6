#!/usr/bin/python3
"""A registry for tests: serves one OCI layout, well or badly, as the first part of the path says.

	registry_server.py PORT-FILE LOG LAYOUT [other=PORT] [tls=CERT,KEY] [auth=basic|token]

The repository "MODE/anything" is answered as MODE has it (see the functions named mode_…); "plain"
is a sound registry. Each request is a line of LOG: method, path, status, "auth" when it came with
an Authorization header, and the Range. With auth=token the same server is the token server, at
/token; the user is "user", the password "secret", the identity token "identity".
"""
import base64
import hashlib
import http.server
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

port_file, log_file, layout = sys.argv[1:4]
options = dict(word.split("=", 1) for word in sys.argv[4:])
lock = threading.Lock()
seen = {}  # how often a key was asked for
tokens = {}

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def blob(digest):
    with open(os.path.join(layout, "blobs", *digest.split(":")), "rb") as f:
        return f.read()


def top():
    with open(os.path.join(layout, "index.json"), "rb") as f:
        return json.load(f)["manifests"][0]["digest"]


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def count(key):
    with lock:
        seen[key] = seen.get(key, 0) + 1
        return seen[key]


def is_layer(digest):
    manifest = json.loads(blob(top()))
    return any(layer["digest"] == digest for layer in manifest["layers"])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self, status):
        words = [self.command, self.path, str(status)]
        if "Authorization" in self.headers:
            words.append("auth")
        if "Range" in self.headers:
            words.append(self.headers["Range"])
        with lock, open(log_file, "a") as f:
            f.write(" ".join(words) + "\n")

    def answer(self, status, body=b"", content_type="application/octet-stream", headers=()):
        self.note(status)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status, code, message, headers=()):
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self.answer(status, body, "application/json", headers)

    def hang_up(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def start(self, status, length, headers=(), content_type="application/octet-stream"):
        self.note(status)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    # ---- who may ------------------------------------------------------------------------------

    def base(self):
        return ("https" if "tls" in options else "http") + "://" + self.headers["Host"]

    def credentials_are_right(self):
        given = self.headers.get("Authorization", "")
        return given == "Basic " + base64.b64encode(b"user:secret").decode()

    def token(self, query, form):
        allowed = self.credentials_are_right() or form.get("refresh_token") == ["identity"]
        if "Authorization" in self.headers and not allowed:
            self.error(401, "DENIED", "wrong password")
            return
        scopes = " ".join((query.get("scope") or []) + (form.get("scope") or [])).split()
        text = "t%d" % count("token")
        life = float(options.get("life", "60"))
        tokens[text] = (scopes if allowed else [], time.time() + life)
        body = {"access_token" if form else "token": text, "expires_in": int(life) or 1}
        self.answer(200, json.dumps(body).encode(), "application/json")

    def may(self, repo):
        if options.get("auth") == "basic":
            if self.credentials_are_right():
                return True
            self.error(401, "UNAUTHORIZED", "log in", [("WWW-Authenticate", 'Basic realm="tests"')])
            return False
        if options.get("auth") == "token":
            given = self.headers.get("Authorization", "")
            scopes, end = tokens.get(given.removeprefix("Bearer "), ([], 0))
            wanted = "repository:%s:" % repo
            if time.time() < end and (not repo or any(s.startswith(wanted) for s in scopes)):
                return True
            realm = 'Bearer realm="%s/token",service="tests"' % self.base()
            if repo:
                realm += ',scope="repository:%s:pull"' % repo
            self.error(401, "UNAUTHORIZED", "no token", [("WWW-Authenticate", realm)])
            return False
        return True

    # ---- what is asked ------------------------------------------------------------------------

    def do_HEAD(self):
        self.do_GET()

    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        form = urllib.parse.parse_qs(self.rfile.read(size).decode())
        if self.path == "/token":
            self.token({}, form)
        else:
            self.error(405, "UNSUPPORTED", "read only")

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        parts = url.path.split("/")
        if url.path == "/token":
            self.token(urllib.parse.parse_qs(url.query), {})
        elif parts[1] == "elsewhere":
            self.answer(200, blob(parts[2]))
        elif url.path == "/v2/":
            if self.may(""):
                self.answer(200, b"{}", "application/json")
        elif len(parts) > 5 and parts[1] == "v2":
            if not self.may("/".join(parts[2:-2])):
                return
            handler = getattr(self, "mode_" + parts[2].replace("-", "_"), None)
            if handler is None or not handler(parts[-2], parts[-1]):
                self.plain(parts[-2], parts[-1])
        else:
            self.error(404, "NAME_UNKNOWN", "nothing here")

    def plain(self, kind, name):
        try:
            if kind == "manifests":
                data = blob(name if ":" in name else top())
                kind_of = INDEX if b'"manifests"' in data else MANIFEST
                self.answer(200, data, kind_of, [("Docker-Content-Digest", digest_of(data))])
            else:
                self.ranged(blob(name))
        except (OSError, ValueError):
            self.error(404, "MANIFEST_UNKNOWN", "manifest unknown")

    def ranged(self, data):
        wanted = self.headers.get("Range")
        if not wanted:
            self.answer(200, data)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        where = "bytes %d-%d/%d" % (start, len(data) - 1, len(data))
        self.answer(206, data[start:], headers=[("Content-Range", where)])

    # ---- modes: True when the answer was given ------------------------------------------------

    def first_half(self, data, then):
        self.start(200, len(data))
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        then()
        return True

    def layer_once(self, kind, name):
        """The first time that a layer is asked for."""
        return kind == "blobs" and is_layer(name) and count((self.path, "once")) == 1

    def mode_reset_once(self, kind, name):
        if self.layer_once(kind, name):
            return self.first_half(blob(name), self.hang_up)

    def mode_reset_always(self, kind, name):
        if kind == "blobs" and is_layer(name):
            self.note(0)
            self.hang_up()
            return True

    def mode_no_range(self, kind, name):
        """Breaks in the middle and then sends everything again."""
        if self.layer_once(kind, name):
            return self.first_half(blob(name), self.hang_up)
        if kind == "blobs" and is_layer(name):
            self.answer(200, blob(name))
            return True

    def mode_range_refused(self, kind, name):
        if self.layer_once(kind, name):
            return self.first_half(blob(name), self.hang_up)
        if kind == "blobs" and is_layer(name) and "Range" in self.headers:
            self.error(416, "RANGE", "no")
            return True

    def mode_wrong_range(self, kind, name):
        """Another part than was asked for: never to be put behind the first."""
        if self.layer_once(kind, name):
            return self.first_half(blob(name), self.hang_up)
        if kind == "blobs" and is_layer(name) and "Range" in self.headers:
            data = blob(name)
            where = "bytes 7-%d/%d" % (len(data) - 1, len(data))
            self.answer(206, data[7:], headers=[("Content-Range", where)])
            return True

    def mode_changing(self, kind, name):
        """The second half is another file's."""
        if self.layer_once(kind, name):
            return self.first_half(blob(name), self.hang_up)
        if kind == "blobs" and is_layer(name) and "Range" in self.headers:
            self.ranged(bytes(b ^ 1 for b in blob(name)))
            return True

    def mode_stall_once(self, kind, name):
        if self.layer_once(kind, name):
            return self.first_half(blob(name), lambda: (time.sleep(6), self.hang_up()))

    def mode_stall(self, kind, name):
        if kind == "manifests":
            self.note(0)
            time.sleep(60)
            self.hang_up()
            return True

    def mode_busy(self, kind, name):
        if count(self.path) == 1:
            self.error(429, "TOOMANYREQUESTS", "slower", [("Retry-After", "1")])
            return True

    def mode_unavailable(self, kind, name):
        if count(self.path) <= 2:
            self.error(503, "UNAVAILABLE", "later")
            return True

    def mode_broken(self, kind, name):
        self.error(500, "UNKNOWN", "bad\x1b[31m luck\n")
        return True

    def mode_crawl(self, kind, name):
        return self.mode_slow(kind, name, 0.02)

    def mode_slow(self, kind, name, pause=0.002):
        """So slow that somebody can be killed in the middle."""
        if kind == "blobs" and is_layer(name):
            data = blob(name)
            start = int(self.headers.get("Range", "bytes=0-")[6:-1])
            where = "bytes %d-%d/%d" % (start, len(data) - 1, len(data))
            extra = [("Content-Range", where)] if start else []
            self.start(206 if start else 200, len(data) - start, extra)
            for i in range(start, len(data), 1 << 16):
                self.wfile.write(data[i : min(i + (1 << 16), len(data))])
                time.sleep(pause)
            return True

    # Lies about content.

    def mode_manifest_digest(self, kind, name):
        if kind == "manifests":
            self.answer(200, blob(top()) + b"\n", MANIFEST, [("Docker-Content-Digest", name)])
            return True

    def mode_config_digest(self, kind, name):
        if kind == "blobs" and not is_layer(name):
            self.answer(200, blob(name)[:-1] + b" ")
            return True

    def mode_config_short(self, kind, name):
        if kind == "blobs" and not is_layer(name):
            self.answer(200, blob(name)[:-1])
            return True

    def mode_layer_digest(self, kind, name):
        if kind == "blobs" and is_layer(name):
            data = bytearray(blob(name))
            data[-1] ^= 1
            self.answer(200, bytes(data))
            return True

    def mode_layer_long(self, kind, name):
        if kind == "blobs" and is_layer(name):
            self.answer(200, blob(name) + b"x")
            return True

    def mode_layer_short(self, kind, name):
        if kind == "blobs" and is_layer(name):
            self.answer(200, blob(name)[:-1])
            return True

    def mode_layer_endless(self, kind, name):
        if kind == "blobs" and is_layer(name):
            self.endless(b"\0" * 65536)
            return True

    def mode_manifest_endless(self, kind, name):
        if kind == "manifests":
            self.endless(b" " * 65536)
            return True

    def endless(self, piece):
        self.start(200, None, [("Transfer-Encoding", "chunked")], MANIFEST)
        try:
            while True:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        except OSError:
            self.close_connection = True

    def mode_manifest_huge(self, kind, name):
        if kind == "manifests":
            self.answer(200, blob(top()) + b" " * (5 << 20), MANIFEST)
            return True

    def manifest(self, kind, text, content_type=MANIFEST):
        if kind == "manifests":
            self.answer(200, text, content_type)
            return True

    def mode_deep(self, kind, name):
        return self.manifest(kind, b"[" * 1000000)

    def mode_no_json(self, kind, name):
        return self.manifest(kind, b"\xff\xfe<html>")

    def mode_schema1(self, kind, name):
        text = b'{"schemaVersion":1,"name":"x","tag":"1","fsLayers":[]}'
        return self.manifest(kind, text, "application/vnd.docker.distribution.manifest.v1+prettyjws")

    def mode_both_kinds(self, kind, name):
        document = json.loads(blob(top()))
        document["manifests"] = []
        return self.manifest(kind, json.dumps(document).encode())

    def mode_header_lies(self, kind, name):
        return self.manifest(kind, blob(top()), INDEX)

    def mode_artifact(self, kind, name):
        document = json.loads(blob(top()))
        document["config"]["mediaType"] = "application/vnd.example.thing+json"
        return self.manifest(kind, json.dumps(document).encode())

    def mode_path_digest(self, kind, name):
        document = json.loads(blob(top()))
        document["layers"][0]["digest"] = "sha256:../../../../../../etc/passwd"
        return self.manifest(kind, json.dumps(document).encode())

    def mode_foreign(self, kind, name):
        """The layer is elsewhere, says the manifest; nobody may go there."""
        if kind == "blobs" and is_layer(name):
            self.error(404, "BLOB_UNKNOWN", "blob unknown")
            return True
        document = json.loads(blob(top()))
        for layer in document["layers"]:
            layer["urls"] = ["http://127.0.0.1:%s/elsewhere/%s" % (options["other"], layer["digest"])]
        return self.manifest(kind, json.dumps(document).encode())

    def index(self, kind, name, entries):
        if kind == "manifests" and ":" not in name:
            text = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
            self.answer(200, text, INDEX)
            return True

    def entry(self, architecture, **more):
        return {"mediaType": MANIFEST, "digest": top(), "size": len(blob(top())),
                "platform": {"os": "linux", "architecture": architecture}, **more}

    def mode_index(self, kind, name):
        wrong = {**self.entry("s390x"), "digest": "sha256:" + "0" * 64}
        return self.index(kind, name, [wrong, self.entry(os.environ["ARCH"])])

    def mode_nested(self, kind, name):
        inner = json.dumps({"schemaVersion": 2, "mediaType": INDEX,
                            "manifests": [self.entry(os.environ["ARCH"])]}).encode()
        if kind == "manifests" and name == digest_of(inner):
            self.answer(200, inner, INDEX)
            return True
        return self.index(kind, name, [{"mediaType": INDEX, "digest": digest_of(inner), "size": len(inner)}])

    def mode_other_platform(self, kind, name):
        return self.index(kind, name, [self.entry("s390x")])

    # Sends us elsewhere.

    def elsewhere(self, kind, name, url):
        if kind == "blobs":
            self.answer(307, headers=[("Location", url)])
            return True

    def mode_redirect(self, kind, name):
        return self.elsewhere(kind, name, "http://127.0.0.1:%s/elsewhere/%s" % (options["other"], name))

    def mode_redirect_loop(self, kind, name):
        return self.elsewhere(kind, name, self.path)

    def mode_redirect_file(self, kind, name):
        return self.elsewhere(kind, name, "file:///etc/passwd")

    def unauthorized(self, challenge):
        self.error(401, "UNAUTHORIZED", "no", [("WWW-Authenticate", challenge)])
        return True

    def mode_realm_metadata(self, kind, name):
        return self.unauthorized('Bearer realm="http://169.254.169.254/latest",service="x"')

    def mode_realm_file(self, kind, name):
        return self.unauthorized('Bearer realm="file:///etc/passwd",service="x"')

    def mode_realm_garbage(self, kind, name):
        return self.unauthorized('Bearer realm="unterminated')

    def mode_denied(self, kind, name):
        self.error(403, "DENIED", "not for you")
        return True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        pass  # clients that hang up are what these tests are made of


server = Server((options.get("address", "127.0.0.1"), int(options.get("port", 0))), Handler)
if "tls" in options:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*options["tls"].split(","))
    if options.get("old"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
    if "client_ca" in options:
        context.load_verify_locations(options["client_ca"])
        context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(port_file + ".new", "w") as f:
    f.write("%d\n" % server.server_address[1])
os.rename(port_file + ".new", port_file)
server.serve_forever()
