#!/usr/bin/env python3
"""Makes hostile layers for image_hostile.sh: hostile_tars.py DIR CANARY

Writes DIR/NNN.tar (or .gz, .zst as their content says) and DIR/list, a line for each:
NNN <tab> what it tries <tab> what must come of it: "ok" (it is contained: the image is made and nothing
outside is touched), a part of the message that refuses it, or "-": either, as the file system sees it. CANARY is a directory outside that the
archives aim at.
"""
import gzip
import os
import struct
import sys
import zlib

out, canary = sys.argv[1], sys.argv[2]
up = "../" * 12
cases = []


def octal(value, size):
    return b"%0*o\0" % (size - 1, value)


def number(value, size):
    if 0 <= value < 8 ** (size - 1):
        return octal(value, size)
    raw = value.to_bytes(size, "big", signed=True)  # base-256
    return bytes([raw[0] | 0x80]) + raw[1:]


def header(name, type="0", size=0, mode=0o644, uid=0, gid=0, mtime=0, link=b"", major=0, minor=0,
           magic=b"ustar\x0000", checksum=None, raw=None, prefix=b""):
    name = name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name
    link = link.encode("utf-8", "surrogateescape") if isinstance(link, str) else link
    raw = raw or {}
    fields = [
        ("name", name[:100].ljust(100, b"\0")), ("mode", octal(mode, 8)), ("uid", number(uid, 8)),
        ("gid", number(gid, 8)), ("size", number(size, 12)), ("mtime", number(mtime, 12)),
        ("checksum", b" " * 8), ("type", type.encode("latin1")), ("link", link[:100].ljust(100, b"\0")),
        ("magic", magic.ljust(8, b"\0")), ("uname", b"\0" * 32), ("gname", b"\0" * 32),
        ("major", octal(major, 8)), ("minor", octal(minor, 8)), ("prefix", prefix.ljust(155, b"\0")),
        ("pad", b"\0" * 12)]
    block = b"".join(raw.get(key, value) for key, value in fields)
    total = sum(block) if checksum is None else checksum
    return block[:148] + b"%06o\0 " % (total & 0o777777) + block[156:]


def pad(data):
    return data + b"\0" * (-len(data) % 512)


def record(key, value):
    key = key.encode() if isinstance(key, str) else key
    value = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    body = b" " + key + b"=" + value + b"\n"
    size = len(body) + 1
    while len(str(size)) + len(body) != size:
        size = len(str(size)) + len(body)
    return str(size).encode() + body


def pax(records, type="x"):
    data = records if isinstance(records, bytes) else b"".join(record(k, v) for k, v in records)
    return header("pax", type, len(data)) + pad(data)


def gnu_long(kind, text):
    data = (text.encode() if isinstance(text, str) else text) + b"\0"
    return header("././@LongLink", kind, len(data), magic=b"ustar  ") + pad(data)


def file(name, data=b"hostile", **kw):
    return header(name, "0", len(data), **kw) + pad(data)


def entry(name, type, **kw):
    return header(name, type, **kw)


def sym(name, target, **kw):
    return header(name, "2", link=target, mode=0o777, **kw)


def hard(name, target, **kw):
    return header(name, "1", link=target, **kw)


def folder(name, **kw):
    return header(name, "5", mode=kw.pop("mode", 0o755), **kw)


END = b"\0" * 1024


def case(what, expect, *parts, end=True, wrap=None):
    data = b"".join(parts) + (END if end else b"")
    cases.append((what, expect, wrap(data) if wrap else data))


# ---- E1: names and links that lead out ------------------------------------------------------------
for name in ("../x", up + "x", "/x", "//x", "a/../../x", "./../x", "a/b/../../../../x", "..", "../", "./..", "a/..",
             "...", ". ./x", "a/./../../x", up.rstrip("/"), "/..", "/../../x", "a//..//..//x"):
    expect = "root directory cannot become" if name in ("..", "./..", "a/..", up.rstrip("/"), "/..") else "ok"
    expect = "tar data is damaged" if name == "../" else expect  # a directory with content
    case("file named " + name, expect, file(name))
for name in (up + canary.lstrip("/") + "/file", canary + "/file", "x/" + up + canary.lstrip("/") + "/file"):
    case("file over the canary: " + name[:40], "ok", file(name))
for target in (canary, up + canary.lstrip("/"), "/", "..", up):
    case("symlink to %s, then a file in it" % target[:30], "ok", sym("l", target), file("l/file"))
    case("symlink to %s, then a directory in it" % target[:30], "ok", sym("l", target), folder("l/dir"))
    case("symlink to %s, then a file over it" % target[:30], "ok", sym("l", target), file("l"))
case("a chain of symlinks", "ok", sym("a", "b"), sym("b", "c"), sym("c", canary), file("a/file"))
case("a loop of symlinks", "too many symlinks", sym("a", "b"), sym("b", "a"), file("a/file"))
case("a symlink to itself", "too many symlinks", sym("a", "a"), file("a/file"))
case("a symlink to /proc/self/root", "ok", sym("l", "/proc/self/root"), file("l" + canary + "/file"))
case("a symlink to /proc/self/cwd", "ok", sym("l", "/proc/self/cwd"), file("l/file"))
case("a directory over a symlink, then a file", "ok", sym("l", canary), folder("l"), file("l/file"))
case("a symlink over a directory, then a file", "ok", folder("l"), sym("l", canary), file("l/file"))
case("a symlink over a full directory", "ok", folder("l"), file("l/a"), sym("l", canary), file("l/file"))
case("a cached parent that becomes a symlink", "ok", folder("d"), file("d/a"), sym("d", canary), file("d/file"))
case("a cached parent that becomes a file", "'d' in its path is not a directory", folder("d"), file("d/a"), file("d"), file("d/file"))
for name in (".", "./", "/", ""):
    refused = "root directory cannot become"
    case("the root as a symlink, named '%s'" % name, refused, sym(name, canary), file("file"))
    case("the root as a file, named '%s'" % name, "tar data is damaged" if name.endswith("/") else refused, file(name))
    case("the root as a hard link, named '%s'" % name, refused, hard(name, canary + "/file"))
for target in (canary + "/file", up + canary.lstrip("/") + "/file", "/etc/passwd", up + "etc/passwd"):
    case("hard link to %s" % target[:40], "the file does not exist", hard("h", target))
    case("hard link through a symlink to %s" % target[:40], "the file does not exist",
         sym("l", os.path.dirname(target)), hard("h", "l/" + os.path.basename(target)))
case("hard link to a symlink, then written through", "ok", sym("l", canary + "/file"), hard("h", "l"), file("h"))
case("hard link to a symlink, then its mode", "ok", sym("l", canary + "/file"), hard("h", "l", mode=0o4777))
case("hard link to itself", "a hard link to itself", hard("h", "h"))
case("hard link to a later entry", "the file does not exist", hard("h", "f"), file("f"))
case("hard link to a directory", "a hard link to a directory", folder("d"), hard("h", "d"))
case("hard link to the root", "a hard link to a directory", hard("h", "/"))
case("hard link to nothing", "an unknown type of file", hard("h", ""))
case("hard link with content", "ok", file("f"), hard("h", "f", size=0))
case("a file under a file", "'f' in its path is not a directory", file("f"), file("f/x"))
case("a file under a device", "'d' in its path is not a directory", entry("d", "3", major=1, minor=3), file("d/x"))
case("a file under a fifo", "'p' in its path is not a directory", entry("p", "6"), file("p/x"))
case("a file under a hard link", "'h' in its path is not a directory", file("f"), hard("h", "f"), file("h/x"))
case("a symlink without a target", "a symlink without a target", sym("l", ""))
case("a symlink of 4096 bytes", "File name too long", pax([("linkpath", "x" * 4096)]), sym("l", "x"))

# ---- E6: attributes through links -----------------------------------------------------------------
case("mode and owner through a symlink", "ok", sym("l", canary + "/file"), file("l", mode=0o4777, uid=1234))
case("xattr through a symlink", "ok", sym("l", canary + "/file"), pax([("SCHILY.xattr.user.x", "y")]), file("l"))
case("times through a symlink", "ok", pax([("mtime", "1.5")]), sym("l", canary + "/file"))
case("xattr of a symlink", "set the extended attribute user.x", pax([("SCHILY.xattr.user.x", "y")]), sym("l", canary + "/file"))
case("directory attributes at the end, replaced by a symlink", "ok", folder("d", mode=0o7777, uid=7), sym("d", canary))

# ---- E2: bombs and bounds -------------------------------------------------------------------------
case("a path of 257 directories", "deeper than 256", pax([("path", "d/" * 257 + "f")]), file("f"))
case("a path of 40,000 directories", "longer than 4096", pax([("path", "d/" * 40000 + "f")]), file("f"))
case("a name of 255 bytes", "ok", pax([("path", "n" * 255)]), file("f"))
case("a name of 256 bytes", "a name is longer than 255", pax([("path", "n" * 256)]), file("f"))
case("a path of 4095 bytes", "ok", pax([("path", ("n" * 250 + "/") * 16 + "m" * 79)]), file("f"))
case("a path of 4097 bytes", "longer than 4096", pax([("path", ("n" * 250 + "/") * 16 + "m" * 81)]), file("f"))
case("a pax header of 2 MiB", "tar data is damaged", pax([("path", "x" * (2 << 20))]), file("f"))
case("a GNU long name of 2 MiB", "tar data is damaged", gnu_long("L", "x" * (2 << 20)), file("f"))
case("a GNU long link of 2 MiB", "tar data is damaged", gnu_long("K", "x" * (2 << 20)), sym("l", "x"))
case("ten thousand pax headers before one file", "tar data is damaged", *[pax([("comment", "x")])] * 10000, file("f"))
case("an xattr of 64 KiB and one", "extended attributes are too large", pax([("SCHILY.xattr.user.x", "y" * 65537)]), file("f"))
case("20 xattrs of 60 KiB", "tar data is damaged", pax([("SCHILY.xattr.user.x%d" % i, "y" * 61440) for i in range(20)]), file("f"))
case("a file of 8 EiB that is not there", "tar data is damaged", header("f", "0", (1 << 63) - 1), end=False)
case("a file of 1 TiB that is not there", "tar data is damaged", header("f", "0", 1 << 40), end=False)
case("a sparse file of 8 EiB", "-", pax([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "s"),
     ("GNU.sparse.realsize", str((1 << 63) - 1))]), file("GNUSparseFile.0/s", b"0\n".ljust(512, b"\0")))
case("a sparse file with a bad map", "tar data is damaged", pax([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"),
     ("GNU.sparse.name", "s"), ("GNU.sparse.realsize", "10")]), file("GNUSparseFile.0/s", b"x\n".ljust(512, b"\0")))
case("a sparse map that goes backwards", "ok", pax([("GNU.sparse.map", "100,1,0,1"), ("GNU.sparse.size", "200"),
     ("GNU.sparse.name", "s")]), file("s", b"ab"))
case("a bomb of gzip", "inflates to more than 1000 times", header("f", "0", 300 << 20), b"\0" * (300 << 20),
     wrap=lambda d: (lambda c: c.compress(d) + c.flush())(zlib.compressobj(9, zlib.DEFLATED, 31)))
case("gzip in gzip", "not a tar archive", file("f"), wrap=lambda d: gzip.compress(gzip.compress(d)))
case("a zstd window of 2 GiB", "zstd data is damaged", wrap=lambda d: b"\x28\xb5\x2f\xfd\x00\xa8" + b"\x01\x00\x00a")
case("zstd that never ends", "truncated", wrap=lambda d: b"\x28\xb5\x2f\xfd\x00\x58" + b"\x00\x00\x00" * 1000)

# ---- E3: what parsers do not agree on -------------------------------------------------------------
case("pax size against ustar size", "ok", pax([("size", "7")]), header("f", "0", 1024) + pad(b"hostile"), file("g"))
case("a negative pax size", "tar data is damaged", pax([("size", "-1")]), file("f"))
case("a pax size that is no number", "ok", pax([("size", "1x")]), file("f"))
case("a pax size above 2^64", "tar data is damaged", pax([("size", "99999999999999999999")]), file("f"))
case("a negative base-256 size", "tar data is damaged", header("f", "0", -5), pad(b"x"))
case("two pax paths", "ok", pax([("path", "a"), ("path", up + "b")]), file("f"))
case("a pax path with NUL", "ok", pax([("path", "a\0b")]), file("f"))
case("a pax path that leads out", "ok", pax([("path", up + canary.lstrip("/") + "/file")]), file("f"))
case("a pax linkpath that leads out", "the file does not exist", pax([("linkpath", canary + "/file")]), hard("h", "f"))
case("a global pax path", "ok", pax([("path", canary + "/file")], "g"), file("f"))
case("a GNU long name that leads out", "ok", gnu_long("L", canary + "/file"), file("f", magic=b"ustar  "))
case("a GNU long link that leads out", "the file does not exist", gnu_long("K", canary + "/file"), hard("h", "f", magic=b"ustar  "))
case("a pax record longer than the header", "tar data is damaged", pax(b"999 path=x\n"), file("f"))
case("a pax record without a length", "tar data is damaged", pax(b"path=x\n"), file("f"))
case("a pax record of length 0", "tar data is damaged", pax(b"0 path=x\n"), file("f"))
case("an empty pax header", "ok", pax(b""), file("f"))
case("a ustar prefix that leads out", "ok", file("file", prefix=(up + canary.lstrip("/")).encode()))
case("a bad checksum", "not a tar archive", file("f", checksum=1))
case("a signed checksum", "-", file("\xff\xfe", checksum=sum(b if b < 128 else b - 256 for b in header("\xff\xfe", size=7)[:148]) + 256))
case("an unknown type", "ok", entry("f", "Z"))
case("a type of 0", "ok", header("f", "\0", 7) + pad(b"hostile"))
case("a contiguous file", "ok", header("f", "7", 7) + pad(b"hostile"))
case("a volume header", "ok", header("v", "V"), file("f"))
case("a multi-volume file", "an unknown type of file", header("f", "M", 7) + pad(b"hostile"))
case("a name with a trailing slash", "tar data is damaged", file("f/"))
case("names that are not UTF-8", "ok", file(b"\xff\xfe\x80"), folder(b"\xc3\x28"))
case("a name with a newline and an escape", "ok", file("a\n\x1b[31mb"))
case("no end of the archive", "ok", file("f"), end=False)
case("one block of zeros only", "ok", file("f"), b"\0" * 512, end=False)
case("something behind the end", "something else behind the end", file("f"), END, file("g"))
case("two archives in a row", "something else behind the end", file("f"), END * 10, file("../g"))
case("gzip with something behind it", "something else behind its end", file("f"), wrap=lambda d: gzip.compress(d) + b"x")
case("gzip members in a row", "ok", file("f"), wrap=lambda d: gzip.compress(d[:100]) + gzip.compress(d[100:]))
case("gzip with a wrong checksum", "gzip data is damaged", file("f"), wrap=lambda d: gzip.compress(d)[:-8] + b"1234" + gzip.compress(d)[-4:])
for blocks in (1, 2, 3):
    case("cut after %d half blocks" % blocks, "Truncated tar archive", wrap=lambda d, n=blocks: (file("f", b"x" * 2000))[:n * 256 + 512])
case("not a tar file at all", "not a tar archive", b"This is no archive. " * 100, end=False)
case("an empty file", "the file is empty", end=False)
case("zeros only", "no files in it")

# ---- E4: whiteouts --------------------------------------------------------------------------------
case("a whiteout of nothing", "a whiteout that names nothing", file(".wh."))
case("a whiteout of .", "a whiteout that names nothing", file(".wh.."))
case("a whiteout of ..", "a whiteout that names nothing", file(".wh..."))
case("a whiteout of .. in a directory", "a whiteout that names nothing", folder("d"), file("d/.wh..."))
case("a whiteout with a path", "a directory's name starts with '.wh.'", file(".wh.x/y"))
case("a whiteout behind ..", "ok", file(up + ".wh.etc"))
case("a whiteout through a symlink", "ok", sym("l", canary), file("l/.wh.file"))
case("a whiteout of what the layer adds", "ok", file("f"), file(".wh.f"))
case("opaque through a symlink", "ok", sym("l", canary), file("l/.wh..wh..opq"))
case("opaque at the root", "ok", file(".wh..wh..opq"))
case("opaque as a directory", "ok", folder(".wh..wh..opq"), file(".wh..wh..opq/x"))
case("names of aufs", "ok", file(".wh..wh.aufs"), folder(".wh..wh.plnk"), file(".wh..wh.plnk/1.2"))
case("a device 0:0", "a character device 0:0 would delete", entry("f", "3"))
for name in ("trusted.overlay.opaque", "trusted.overlay.redirect", "trusted.overlay.metacopy", "trusted.overlay.origin",
             "user.overlay.redirect", "user.overlay.opaque"):
    case("the attribute " + name, "must not set the extended attribute", pax([("SCHILY.xattr." + name, "/../x")]), folder("d"))
case("the attribute trusted.overlay.redirect by LIBARCHIVE", "must not set the extended attribute",
     pax([("LIBARCHIVE.xattr.trusted%2Eoverlay%2Eredirect", "L3g=")]), folder("d"))

# ---- E5: devices, special bits, capabilities, ids --------------------------------------------------
case("a block device", "ok", entry("sda", "4", major=8, minor=0))
case("a fifo that nobody reads", "ok", entry("p", "6"), file("p"))
case("device numbers beyond all", "make it: Invalid argument", entry("d", "3", raw={"major": b"7777777\0", "minor": b"7777777\0"}))
case("all special bits", "ok", file("f", mode=0o7777, uid=5), folder("d", mode=0o7777, gid=6))
for uid in (1 << 31, (1 << 32) - 2):
    case("uid %d" % uid, "ok", file("f", uid=uid))
for uid in ((1 << 32) - 1, 1 << 32, -1):
    case("uid %d" % uid, "out of range", file("f", uid=uid))
case("gid 2^32-1 by pax", "out of range", pax([("gid", str((1 << 32) - 1))]), file("f"))
case("mtime -2^62", "ok", pax([("mtime", str(-(1 << 62)))]), file("f"))
case("mtime 2^62", "ok", pax([("mtime", str(1 << 62))]), file("f"))
case("mtime that is no number", "ok", pax([("mtime", "abc")]), file("f"))
cap = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)
case("file capabilities", "ok", pax([(b"SCHILY.xattr.security.capability", cap.decode("latin1").encode("latin1"))]), file("f"))
case("file capabilities of another namespace", "ok", pax([(b"SCHILY.xattr.security.capability",
     struct.pack("<IIIIII", 0x03000001, 1 << 10, 0, 0, 0, 100000))]), file("f"))
case("file capabilities cut short", "security.capability", pax([(b"SCHILY.xattr.security.capability", cap[:7])]), file("f"))
case("file capabilities on a symlink", "-", pax([(b"SCHILY.xattr.security.capability", cap)]), sym("l", canary + "/file"))
case("an SELinux label", "ok", pax([("SCHILY.xattr.security.selinux", "system_u:object_r:bin_t:s0\0")]), file("f"))
case("an IMA signature", "ok", pax([("SCHILY.xattr.security.ima", "\3\2")]), file("f"))
case("a broken ACL", "-", pax([("SCHILY.xattr.system.posix_acl_access", "broken")]), file("f"))
case("an ACL with names", "ok", pax([("SCHILY.acl.access", "user::rwx,user:nobody-here:rwx,group::r-x,mask::rwx,other::r-x")]), file("f"))
case("an xattr with an empty name", "ok", pax([("SCHILY.xattr.", "x")]), file("f"))
case("an xattr with a strange prefix", "ok", pax([("SCHILY.xattr.system.other", "x")]), file("f"))

with open(os.path.join(out, "list"), "w", encoding="utf-8", errors="backslashreplace") as table:
    for i, (what, expect, data) in enumerate(cases):
        with open(os.path.join(out, "%03d.tar" % i), "wb") as f:
            f.write(data)
        what = what.replace("\n", " ").replace("\t", " ").replace("\x1b", "")
        table.write("%03d\t%s\t%s\n" % (i, what, expect))
