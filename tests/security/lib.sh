# What the security tests share. Names of assertions start with their row of the catalogue: "A7: …".
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"

HOSTILE=$BUILD/tests/security/hostile

# put_hostile ROOTFS: the hostile program into a root file system.
put_hostile() {
	cp "$HOSTILE" "$1/bin/hostile"
}

# The canary: a tree of the host that no container may read or change.
canary=$TMPDIR/canary
make_canary() {
	rm -rf "$canary"
	mkdir -p "$canary/dir"
	echo secret >"$canary/file"
	echo secret >"$canary/dir/inner"
	ln -s /nowhere "$canary/link"
	chmod 600 "$canary/file"
	canary_before=$(canary_state)
}
canary_state() {
	(cd "$canary" && find . -printf '%P %y %i %m %u %g %l %C@\n' | sort && cat file dir/inner)
}
# t_canary NAME
t_canary() {
	t_is "$(canary_state)" "$canary_before" "$1"
}

# Everything of /proc/self/mountinfo that is below a directory of this test, and the count.
mounts_below() {
	awk -v d="$1" 'index($5, d "/") == 1 { print $5 }' /proc/self/mountinfo
}

# engine_image: the image "hostile" of busybox and the hostile program; `engine` runs the engine.
engine() {
	"$CSN" --root "$TMPDIR/engine" --run-root "$TMPDIR/engine-run" "$@"
}
engine_image() {
	make_busybox_rootfs "$TMPDIR/image"
	put_hostile "$TMPDIR/image"
	tar -C "$TMPDIR/image" -cf "$TMPDIR/image.tar" .
	engine import "$TMPDIR/image.tar" hostile >/dev/null
}
