#!/usr/bin/env python3
"""volume_image.py FILE.tar NAME:TAG CANARY: an image whose directories volumes cover (an archive as
`docker save` writes it). CANARY is a directory of the host that its links point to."""
import hashlib, io, json, sys, tarfile

out, name, canary = sys.argv[1:4]


def layer(entries):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as t:
        for path, kind, more in entries:
            info = tarfile.TarInfo(path)
            info.mtime = 1000000000
            data = more.pop("data", b"")
            info.type = kind
            info.mode = more.pop("mode", 0o755 if kind == tarfile.DIRTYPE else 0o644)
            for key, value in more.items():
                setattr(info, key, value)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return raw.getvalue()


D, F, S, H, P = tarfile.DIRTYPE, tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE
busybox = open("/bin/busybox", "rb").read()
one = [("bin", D, {}), ("bin/busybox", F, {"data": busybox, "mode": 0o755})]
one += [("bin/" + a, S, {"linkname": "busybox"}) for a in
        "sh ls cat stat touch id find echo mkdir rm sleep dd df grep sort wc true mount umount tr readlink chmod chown head test seq sync kill sed".split()]
one += [
    ("etc", D, {}), ("etc/passwd", F, {"data": b"root:x:0:0::/:/bin/sh\n"}),
    ("data", D, {"uid": 1000, "gid": 1001, "mode": 0o2750}),
    ("data/file", F, {"data": b"of the image\n", "uid": 1000, "gid": 1001, "mode": 0o640,
                      "pax_headers": {"SCHILY.xattr.user.kind": "image"}}),
    ("data/again", H, {"linkname": "data/file"}),
    ("data/suid", F, {"data": b"x", "mode": 0o4755}),
    ("data/gone", F, {"data": b"a later layer takes it away\n"}),
    ("data/covered", D, {}), ("data/covered/old", F, {"data": b"old\n"}),
    ("data/merged", D, {}), ("data/merged/below", F, {"data": b"below\n"}),
    ("data/host", S, {"linkname": canary}),
    ("data/hostfile", S, {"linkname": "../../../../../../../.." + canary + "/file"}),
    ("data/fifo", P, {"uid": 7}),
    ("linked", S, {"linkname": "data"}),
    ("outside", S, {"linkname": "../../../../../../../.." + canary}),
    ("absolute", S, {"linkname": canary}),
    ("empty", D, {"uid": 33, "gid": 34, "mode": 0o700}),
    ("plain", F, {"data": b"a file\n"}),
]
two = [
    ("data/.wh.gone", F, {}),
    ("data/covered", D, {}), ("data/covered/.wh..wh..opq", F, {}),
    ("data/covered/new", F, {"data": b"new\n"}),
    ("data/merged/above", F, {"data": b"above\n"}),
]
layers = [layer(one), layer(two)]
config = {
    "architecture": "amd64", "os": "linux",
    "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"], "Volumes": {v: {} for v in sys.argv[4:]}},
    "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(l).hexdigest() for l in layers]},
}
files = {"config.json": json.dumps(config).encode()}
for i, l in enumerate(layers):
    files["%d/layer.tar" % i] = l
files["manifest.json"] = json.dumps([{"Config": "config.json", "RepoTags": [name],
                                     "Layers": ["0/layer.tar", "1/layer.tar"]}]).encode()
with tarfile.open(out, "w") as t:
    for path, data in files.items():
        info = tarfile.TarInfo(path)
        info.size = len(data)
        t.addfile(info, io.BytesIO(data))
