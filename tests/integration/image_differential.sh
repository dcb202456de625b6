#!/bin/bash
# Random layers, whose names collide on purpose: what umoci refuses we refuse, what it unpacks we
# unpack, and every file is the same in type, mode, owner, size, time, links and content.
#
# 25 layers; with CSN_SLOW_TESTS 150. CSN_SEED is the first one's number.
. "$(dirname "$0")/lib.sh"

command -v umoci >/dev/null || t_skip_all "umoci is not installed"
cd "$TMPDIR" || exit 1
cat >make-layer.py <<'END'
import io, random, sys, tarfile

r = random.Random(int(sys.argv[1]))
format = r.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
t = tarfile.open(sys.argv[2], "w", format=format)
words = ["a", "b", "c", "dir", "x" * 40, "é"]
files = []
for _ in range(r.randint(1, 25)):
    i = tarfile.TarInfo(r.choice(["", "./", "/"]) + "/".join(r.choice(words) for _ in range(r.randint(1, 4))))
    i.mode = r.choice([0o644, 0o755, 0o4755, 0o2711, 0o1777, 0o000, 0o600])
    i.uid, i.gid = r.choice([0, 1, 1000, 65534]), r.choice([0, 5, 1000])
    i.mtime = r.choice([0, 1, 1234567890, 1600000000])
    kind, data = r.choice("ffffddslhhp"), None
    if kind == "f":
        data = bytes(r.getrandbits(8) for _ in range(r.choice([0, 1, 511, 512, 513, 3000])))
        i.size = len(data)
        files.append(i.name)
    elif kind == "d":
        i.type = tarfile.DIRTYPE
    elif kind in "sl":
        i.type, i.linkname = tarfile.SYMTYPE, r.choice(["a", "../b", "/c", "dir/x", "nowhere"])
    elif kind == "p":
        i.type = tarfile.FIFOTYPE
    elif files:
        i.type, i.linkname = tarfile.LNKTYPE, r.choice(files)
    else:
        continue
    t.addfile(i, io.BytesIO(data) if data is not None else None)
t.close()
END

# Times of directories that umoci leaves at the moment of the unpacking (it has no entry for them, or
# came back to them after their entry) count on neither side.
told() { # TREESUM FILE
	awk -v now="$started" '
		NR == FNR { invented[$1] = $2 ~ /^04/ && $4 + 0 >= now; next }
		$1 != "." { if (invented[$1]) $4 = "-"; print }' want "$1" >"$1.told"
}

judge() { # SEED: "same", "refused", or what is wrong
	local umoci=0 ours=0 fs started
	rm -rf root img b
	python3 make-layer.py "$1" layer.tar
	umoci init --layout img
	umoci new --image img:t
	umoci raw add-layer --image img:t layer.tar
	started=$(date +%s)
	umoci unpack --image img:t b >umoci.log 2>&1 || umoci=1
	"$CAISSON_IMAGE" --root "$TMPDIR/root" load --no-sync --name t img >ours.log 2>&1 || ours=1
	case $umoci$ours in
	11) echo refused ;;
	01) echo "layer $1: only we refuse it: $(grep -o '"error".*' ours.log)" ;;
	10) echo "layer $1: only umoci refuses it: $(tail -n 1 umoci.log)" ;;
	00)
		fs=$(echo root/layers/*/fs)
		"$BUILD/tests/unit/image_treesum" b/rootfs >want
		"$BUILD/tests/unit/image_treesum" "$fs" >got
		told want
		told got
		cmp -s want.told got.told && echo same || {
			echo "layer $1:"
			diff want.told got.told
		}
		;;
	esac
}

count=25
[ -z "${CSN_SLOW_TESTS-}" ] || count=150
first=${CSN_SEED:-1}
for seed in $(seq "$first" $((first + count - 1))); do
	judge "$seed"
done >verdicts
t_is "$(grep -vx 'same\|refused' verdicts | head -n 20)" "" "umoci and we agree on $count layers"
t_ok "some of them were unpacked" test "$(grep -cx same verdicts)" -ge $((count / 5))
