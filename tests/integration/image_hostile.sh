#!/bin/bash
# Hostile layers (hostile_tars.py makes them): each is refused with its reason or contained, by the
# confined unpacker and by the writer alone, and a tree outside stays as it is to the byte and the
# nanosecond. Bombs end soon, in bounded memory, and leave the disk as it was.
. "$(dirname "$0")/lib.sh"

command -v python3 >/dev/null || t_skip_all "python3 is not installed"
cd "$TMPDIR" || exit 1
mkdir canary tars
echo untouched >canary/file
chmod 0640 canary/file
mkdir canary/dir

witness() {
	(cd canary && find . -printf '%p %y %m %U:%G %n %T@ %C@ %s %l\n' | sort && cat file)
	ls -A / /etc "$TMPDIR" | grep -vE '^(root|out|before|after|\.output|\.errors)$'
}
python3 "$(dirname "$0")/hostile_tars.py" tars "$TMPDIR/canary" || exit 1
t_ok "there are 120 and more" test "$(wc -l <tars/list)" -ge 120

# What caisson-image says of an archive: "ok", or why not.
try() {
	rm -rf root
	timeout 30 "$CAISSON_IMAGE" --root "$TMPDIR/root" $mode import --no-sync "tars/$1.tar" x >out 2>&1
	case $(tail -n 1 out) in
	*'"type":"result"'*) echo ok ;;
	*'"type":"error"'*) sed -n '$s/.*"error":"//p' out ;;
	*) echo "nothing: $(tail -c 200 out)" ;;
	esac
}

# The whole table in one mode; one line per mode, and one for each that is wrong.
run_table() {
	local number what expect got wrong=0
	while IFS=$'\t' read -r number what expect; do
		got=$(try "$number")
		case $got in
		nothing:*) ;;
		ok) case $expect in ok | -) continue ;; esac ;;
		*) case $expect in
			-) continue ;;
			ok) ;;
			*) [ "${got#*"$expect"}" = "$got" ] || continue ;;
			esac ;;
		esac
		t_fail "$number $what ($1)" "want: $expect" "got:  $got"
		wrong=$((wrong + 1))
	done <tars/list
	t_is "$wrong" 0 "every archive is refused with its reason, or contained: $1"
	t_is "$(find root/tmp -mindepth 1 2>/dev/null)" "" "nothing unfinished stays: $1"
}

witness >before
mode=
run_table "confined"
mode=--no-sandbox
run_table "the writer alone"
mode=
witness >after
t_is "$(diff before after)" "" "the tree outside is unchanged"

# Nobody but root gets into the store.
rm -rf root
number=$(awk -F '\t' '$2 == "all special bits" { print $1 }' tars/list)
try "$number" >/dev/null
t_is "$(stat -c %a root/layers root/store root/images root/tmp | sort -u)" 700 "the store's directories are closed"

# ---- bombs ---------------------------------------------------------------------------------------

make_bomb() {
	python3 - "$1" <<-'PY'
		import sys, zlib
		kind = sys.argv[1]
		def header(name, type=b"0", size=0):
		    h = bytearray(512)
		    h[0:len(name)] = name
		    h[100:108], h[108:116], h[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
		    h[124:136], h[136:148], h[148:156] = b"%011o\0" % size, b"00000000000\0", b" " * 8
		    h[156:157], h[257:265] = type, b"ustar\x0000"
		    h[148:156] = b"%06o\0 " % sum(h)
		    return bytes(h)
		z = zlib.compressobj(9, zlib.DEFLATED, 31)
		w = sys.stdout.buffer.write
		if kind == "zeros":
		    w(z.compress(header(b"zeros", size=600 << 20)))
		    for _ in range(600):
		        w(z.compress(bytes(1 << 20)))
		elif kind == "entries":
		    for i in range(1200000):
		        w(z.compress(header(b"%07d" % i)))
		elif kind == "replacements":
		    for i in range(200000):
		        w(z.compress(header(b"same")))
		elif kind == "directories":
		    for i in range(1000000):
		        w(z.compress(header(b"%07d/" % i, b"5")))
		elif kind == "pax":
		    w(z.compress(header(b"pax", b"x", 1 << 30)))
		    for _ in range(64):
		        w(z.compress(b"x" * (1 << 20)))
		w(z.flush())
	PY
}

bomb() {
	local kind=$1 want=$2 started peak=0 pid pids kib
	make_bomb "$kind" >bomb.tar
	rm -rf root
	mkdir root
	started=$SECONDS
	"$CAISSON_IMAGE" --root "$TMPDIR/root" import --no-sync bomb.tar x >out 2>&1 &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		pids="$pid $(pgrep -P $pid | tr '\n' ' ')"
		kib=0
		for p in $pids; do
			kib=$((kib + $(awk '/^VmRSS/ { print $2 }' "/proc/$p/status" 2>/dev/null || echo 0)))
		done
		[ $kib -le $peak ] || peak=$kib
		sleep 0.05
	done
	t_like "$(tail -n 1 out)" "$want" "a bomb of $kind is refused"
	t_ok "a bomb of $kind ends in time ($((SECONDS - started)) s)" test $((SECONDS - started)) -le "${BOMB_SECONDS:-30}"
	t_ok "a bomb of $kind stays below 128 MiB ($((peak / 1024)))" test $peak -lt $((128 << 10))
	t_is "$(find root/tmp root/layers root/store/blobs -mindepth 1 -type f)" "" "a bomb of $kind leaves nothing"
}
bomb zeros "inflates to more than 1000 times its size"
bomb pax "the tar data is damaged"
bomb replacements "more than 100000 entries that replace others"
if [ -n "${CSN_SLOW_TESTS-}" ]; then
	bomb directories "out of memory"
	bomb entries "more than 1000000 entries"
fi
