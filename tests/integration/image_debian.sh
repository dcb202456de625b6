#!/bin/bash
# A real Debian image of several layers, changed in all the ways that layers can change things, loaded
# by us and unpacked by umoci: both trees must be the same in every file's type, mode, owner, size,
# device number, time, hard links, extended attributes and content.
#
# CSN_DEBIAN_TAR names the tar file of a Debian root file system (mmdebstrap --variant=minbase). The
# sandbox has no network; without that file, a part of this machine's own system serves.
. "$(dirname "$0")/lib.sh"

command -v umoci >/dev/null || t_skip_all "umoci is not installed"
[ -f /etc/debian_version ] || [ -n "${CSN_DEBIAN_TAR-}" ] || t_skip_all "neither Debian nor CSN_DEBIAN_TAR"

have() {
	command -v "$1" >/dev/null
}

cd "$TMPDIR" || exit 1
base=${CSN_DEBIAN_TAR:-$TMPDIR/base.tar}
# All of a system with CSN_SLOW_TESTS, enough of it without.
parts="usr/sbin usr/bin/passwd usr/bin/bash usr/share/perl5 usr/share/man/man8 usr/share/zoneinfo/Europe usr/share/doc/libc6"
[ -z "${CSN_SLOW_TESTS-}" ] || parts="usr/bin usr/sbin usr/share/doc usr/share/zoneinfo usr/share/perl5 usr/share/man"
if [ -z "${CSN_DEBIAN_TAR-}" ]; then
	tar -C / --format=posix --one-file-system -cf base.tar \
		--no-recursion usr usr/bin usr/share usr/share/man usr/share/doc usr/share/zoneinfo usr/share/locale var var/lib --recursion \
		etc $parts usr/share/locale/de var/lib/dpkg 2>/dev/null
fi
umoci init --layout img
umoci new --image img:t
t_ok "a base layer" umoci raw add-layer --image img:t "$base"
umoci unpack --image img:t b
r=$TMPDIR/b/rootfs

# Deletions, additions, every kind of file, all metadata.
rm -rf "$r/usr/share/doc" "$r/usr/share/locale/de"
mkdir -p "$r/opt/app"
for i in $(seq 500); do
	echo "$i" >"$r/opt/app/f$i"
done
cp -a "$r/usr/bin/passwd" "$r/opt/app/suid"
chown 1234:4321 "$r/opt/app/f2"
chmod 6755 "$r/opt/app/f2"
mknod "$r/opt/app/null" c 1 3
mknod "$r/opt/app/disk" b 7 1
mkfifo -m 0620 "$r/opt/app/fifo"
ln "$r/etc/passwd" "$r/opt/app/passwd-link"
ln -s /nonexistent "$r/opt/app/dangling"
chown -h 5:6 "$r/opt/app/dangling"
touch -h -d 2001-01-01T00:00:00.123456789 "$r/opt/app/dangling"
touch -d 1969-12-31T23:00:00Z "$r/opt/app/f4"
truncate -s 50M "$r/opt/app/sparse"
echo x >>"$r/opt/app/sparse"
mkdir -m 2751 "$r/opt/app/$(printf 'name with \xc3\xa9, e\xcc\x81 and \xff')"
have setfattr && setfattr -n user.test -v hello "$r/opt/app/f1"
have setfattr && setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 "$r/opt/app/f6"
have setfacl && setfacl -m u:33:rwx "$r/opt/app/f3" && setfacl -d -m u:33:rwx "$r/opt/app"
mkdir "$r/opt/app/sub"
umoci repack --image img:t --refresh-bundle b

# A directory becomes a file, a file a directory; a tree is replaced, one moved; a hard link to a file
# of the layer below.
rm -rf "$r/usr/share/perl5"
echo file >"$r/usr/share/perl5"
rm "$r/opt/app/f5"
mkdir -m 1777 "$r/opt/app/f5"
echo in >"$r/opt/app/f5/in"
rm -rf "$r/usr/share/man"
mkdir "$r/usr/share/man"
echo man >"$r/usr/share/man/only"
mv "$r/var/lib/dpkg/info" "$r/var/lib/dpkg/info2"
ln "$r/usr/bin/bash" "$r/opt/app/bash-link"
rm -rf "$r/opt/app/sub"
chmod 0700 "$r/opt"
umoci repack --image img:t --refresh-bundle b

# And back again.
rm -rf "$r/opt/app/f5" "$r/usr/share/perl5"
ln -s sub2 "$r/opt/app/f5"
mkdir "$r/usr/share/perl5"
touch "$r/usr/share/perl5/x"
umoci repack --image img:t --refresh-bundle b

rm -rf b base.tar
t_ok "umoci unpacks" umoci unpack --image img:t b
"$BUILD/tests/unit/image_treesum" b/rootfs >want
rm -rf b
t_ok "the tree has some size" test "$(wc -l <want)" -gt 1500

# same_tree FILE NAME
same_tree() {
	local lower
	rm -rf root
	t_ok "$2 is loaded" "$CAISSON_IMAGE" --root "$TMPDIR/root" load --no-sync --name t "$1"
	lower=$(grep -o 'layers/[a-z0-9-]*/fs' root/images/*.json | tac | sed "s|^|$TMPDIR/root/|" | paste -sd:)
	mkdir -p merged
	t_ok "overlayfs takes the layers of $2" mount -t overlay overlay -o "lowerdir=$lower" merged
	"$BUILD/tests/unit/image_treesum" merged >got
	umount merged
	t_is "$(diff want got | head -n 10)" "" "$2: all files are as umoci makes them"
}

same_tree img "the OCI layout"
tar -C img -cf oci.tar .
same_tree oci.tar "the OCI archive"
if have skopeo; then
	skopeo --insecure-policy copy -q oci:img:t docker-archive:docker.tar:t:1
	same_tree docker.tar "the docker archive"
	skopeo --insecure-policy copy -q --dest-compress --dest-compress-format zstd oci:img:t oci:zstd:t
	same_tree zstd "the zstd layout"
else
	t_skip "the docker archive" "skopeo is not installed"
fi
