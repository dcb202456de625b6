#!/usr/bin/env python3
"""s3_server.py DIR: an S3 server on loopback for tests. It checks every signature (AWS Signature
Version 4, worked out here from its description, not with the tested code) and the hash of every
body, and keeps objects in DIR/objects/<bucket>/<key, quoted>. Prints its port.

DIR/log has a line for each request: METHOD path?query status. DIR/fail, when it is there, has a
number of requests that get 503 first; DIR/refuse a text: a PUT whose path ends with it gets 500.
While there is a DIR/hang, uploads in parts are begun, and nobody is told."""
import hashlib, hmac, http.server, os, sys, threading, time, urllib.parse, uuid

base = sys.argv[1]
KEY, SECRET, REGION = "AKIDTEST", "sEcReT/+test", "test-region-1"
uploads, upload_paths = {}, {}
lock = threading.Lock()
log = open(os.path.join(base, "log"), "a", buffering=1)


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def answer(self, status, body=b"", headers=()):
        log.write("%s %s %d\n" % (self.command, self.path, status))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def error(self, status, code, message=""):
        self.answer(status, ("<Error><Code>%s</Code><Message>%s</Message></Error>" % (code, message)).encode())

    def signed(self, body):
        """None, or what is wrong."""
        given = self.headers.get("Authorization", "")
        algorithm, _, rest = given.partition(" ")
        if algorithm != "AWS4-HMAC-SHA256":
            return "AccessDenied"
        parts = dict(p.strip().split("=", 1) for p in rest.split(","))
        key, day, region, service, end = parts["Credential"].split("/")
        if key != KEY:
            return "InvalidAccessKeyId"
        if (region, service, end) != (REGION, "s3", "aws4_request"):
            return "AuthorizationHeaderMalformed"
        names = parts["SignedHeaders"].split(";")
        if not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names) or names != sorted(names):
            return "AccessDenied"
        path, _, query = self.path.partition("?")
        pairs = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))
        canonical = "\n".join([
            self.command,
            urllib.parse.quote(urllib.parse.unquote(path), safe="/-._~"),
            "&".join("%s=%s" % (urllib.parse.quote(n, safe="-._~"), urllib.parse.quote(v, safe="-._~")) for n, v in pairs),
            "".join("%s:%s\n" % (n, " ".join(self.headers[n].split())) for n in names),
            ";".join(names),
            self.headers["x-amz-content-sha256"],
        ])
        scope = "/".join([day, region, service, end])
        text = "\n".join(["AWS4-HMAC-SHA256", self.headers["x-amz-date"], scope,
                          hashlib.sha256(canonical.encode()).hexdigest()])
        signing = mac(mac(mac(mac(("AWS4" + SECRET).encode(), day), region), service), end)
        if not hmac.compare_digest(hmac.new(signing, text.encode(), hashlib.sha256).hexdigest(), parts["Signature"]):
            return "SignatureDoesNotMatch"
        if hashlib.sha256(body).hexdigest() != self.headers["x-amz-content-sha256"]:
            return "XAmzContentSHA256Mismatch"
        return None

    def file_of(self, path):
        bucket, _, key = path.lstrip("/").partition("/")
        return os.path.join(base, "objects", bucket), urllib.parse.quote(key, safe="")

    def fails(self):
        name = os.path.join(base, "fail")
        with lock:
            if not os.path.exists(name):
                return False
            left = int(open(name).read() or 0)
            if left > 0:
                open(name, "w").write(str(left - 1))
            return left > 0

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.fails():
            return self.error(503, "SlowDown", "reduce your request rate")
        wrong = self.signed(body)
        if wrong:
            return self.error(403, wrong)
        path, _, query = self.path.partition("?")
        path = urllib.parse.unquote(path)
        query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        folder, name = self.file_of(path)
        if not os.path.isdir(folder):
            return self.error(404, "NoSuchBucket", "the bucket does not exist")
        refuse = os.path.join(base, "refuse")
        if self.command == "PUT" and os.path.exists(refuse) and path.endswith(open(refuse).read().strip()):
            return self.error(500, "InternalError")
        getattr(self, "do_" + self.command.lower())(path, query, os.path.join(folder, name), body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = lambda self: self.handle_one()

    def do_get(self, path, query, file, body):
        if "uploads" in query:
            prefix = path + query["prefix"]
            ids = [id for id in uploads if upload_paths[id].startswith(prefix)]
            return self.answer(200, ("<ListMultipartUploadsResult>%s</ListMultipartUploadsResult>" % "".join(
                "<Upload><Key>%s</Key><UploadId>%s</UploadId></Upload>" % (query["prefix"], id) for id in ids)).encode())
        if not os.path.exists(file):
            return self.error(404, "NoSuchKey")
        self.answer(200, open(file, "rb").read())

    def store(self, file, data):
        with open(file + ".new", "wb") as f:
            f.write(data)
        os.rename(file + ".new", file)

    def do_put(self, path, query, file, body):
        tag = '"%s"' % hashlib.md5(body).hexdigest()
        if "uploadId" in query:
            if query["uploadId"] not in uploads:
                return self.error(404, "NoSuchUpload")
            uploads[query["uploadId"]][int(query["partNumber"])] = (tag, body)
        else:
            self.store(file, body)
        self.answer(200, headers=[("ETag", tag)])

    def do_post(self, path, query, file, body):
        if "uploads" in query:
            id = "id/+ " + uuid.uuid4().hex
            uploads[id] = {}
            upload_paths[id] = path
            open(os.path.join(base, "uploads"), "w").write(str(len(uploads)))
            while os.path.exists(os.path.join(base, "hang")):
                time.sleep(0.05)
            return self.answer(200, ("<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>" % id).encode())
        parts = uploads.get(query.get("uploadId"))
        if parts is None:
            return self.error(404, "NoSuchUpload")
        text = body.decode()
        for n, (tag, data) in parts.items():
            if "<PartNumber>%d</PartNumber><ETag>%s</ETag>" % (n, tag) not in text:
                return self.error(400, "InvalidPart")
            if n < len(parts) and len(data) < 5 << 20:
                return self.error(400, "EntityTooSmall")
        self.store(file, b"".join(parts[n][1] for n in sorted(parts)))
        del uploads[query["uploadId"]]
        open(os.path.join(base, "uploads"), "w").write(str(len(uploads)))
        self.answer(200, b"<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")

    def do_delete(self, path, query, file, body):
        if "uploadId" in query:
            uploads.pop(query["uploadId"], None)
            open(os.path.join(base, "uploads"), "w").write(str(len(uploads)))
        elif os.path.exists(file):
            os.unlink(file)
        self.answer(204)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
