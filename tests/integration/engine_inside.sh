#!/bin/bash
# Into containers from the command line: csn cp, top, diff, port and rename.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"
cd "$TMPDIR" || exit 1

t_ok "a container that changes its files and has a child" csn run -d --name live --network none box \
	sh -c 'mkdir -p /data/sub; echo hello >/data/file; ln -s file /data/link; ln -s /data /dir; ln -s nowhere /dangling; : >/data/linked; ln -s linked /data/over; mkfifo /data/fifo
		echo more >>/etc/group; rm /bin/false; echo tricky >"$(printf "/data/a\nb")"; chmod 640 /data/file; >/ready
		sleep 1001 & exec sleep 1002'
inside() {
	csn exec live "$@"
}
t_ok "it is ready" wait_until 10 inside test -e /ready

# ---- top ----------------------------------------------------------------------------------------

top=$(csn top live)
t_like "$(head -n 1 <<<"$top")" '^UID +PID +PPID +C +STIME +TTY +TIME +CMD *$' "top has the columns of ps -ef"
t_is "$(grep -c 'sleep 100[12]' <<<"$top")" 2 "and a row for the first process and its child"
t_is "$(csn top live -o args | sort | tr '\n' ' ' | sed 's/ *$//; s/  */ /g')" "COMMAND sleep 1001 sleep 1002" "the columns of -o"
pid=$(csn inspect live | json_field pid)
t_is "$(csn top live -o pid= -o ppid,comm=WHAT | awk -v p="$pid" '$2 == p { print $3 }')" sleep "several -o, with titles; the child's parent is the first process"
t_like "$(csn top live aux)" '^USER +PID +' "the columns of aux"
t_like "$(csn top live -o nonsense 2>&1)" 'nonsense' "a column that is not known is named"
t_ok "and fails" bash -c '! "$@" 2>/dev/null' - "$CSN" --root "$world/root" --run-root "$world/run" top live -o nonsense
t_fails_with 'container "nobody" does not exist' csn top nobody

# ---- diff ---------------------------------------------------------------------------------------

diff=$(csn diff live)
for row in "C /etc" "C /etc/group" "D /bin/false" "C /bin" "A /data" "A /data/file" "A /data/link" "A /data/sub" "A /dir" "A /ready"; do
	t_ok "diff has: $row" grep -qxF "$row" <<<"$diff"
done
t_ok "a name with a line in it is one line" grep -qxF "A /data/a?b" <<<"$diff"
t_is "$(grep -cE ' /(proc|sys|dev)(/|$)' <<<"$diff")" 0 "mounts are no changes"
t_is "$diff" "$(sort -k 2 <<<"$diff" | LC_ALL=C sort -s -k 2)" "sorted by path"
t_fails_with 'container "nobody" does not exist' csn diff nobody

# ---- port ---------------------------------------------------------------------------------------

csn create --name ports -p 127.0.0.1:8080:80 -p 53:53/udp -p '[::1]:99:99' box true >/dev/null
t_is "$(csn port ports)" $'80/tcp -> 127.0.0.1:8080\n53/udp -> 0.0.0.0:53\n99/tcp -> [::1]:99' "all published ports"
t_is "$(csn port ports 80) $(csn port ports 80/tcp) $(csn port ports 53/udp)" "127.0.0.1:8080 127.0.0.1:8080 0.0.0.0:53" "one of them"
t_fails_with 'container "ports": port 53/tcp is not published' csn port ports 53
t_fails_with 'port "http": expected PORT[/PROTOCOL]' csn port ports http

# ---- rename -------------------------------------------------------------------------------------

t_ok "another name" csn rename live alive
t_fails_with 'container "live" does not exist' csn port live
t_ok "and back, by its id" csn rename "$(csn ps -q)" live
t_is "$(csn port live)" "" "no published ports"
csn create --name other --network none box true >/dev/null
t_like "$(csn rename other live 2>&1)" 'live' "a name that is taken is refused"
t_like "$(csn rename other 'a b' 2>&1)" 'a b' "so is one that cannot be"
t_ok "which leaves its name" csn port other

# ---- cp -----------------------------------------------------------------------------------------

mkdir -p host/tree/deep
echo here >host/file
echo below >host/tree/deep/leaf
ln -s deep/leaf host/tree/link
chmod 4750 host/tree/deep/leaf

# copies CONTAINER WHAT: the same of one that runs and one that does not. Its files are looked at by copying them out again.
copies() {
	local c=$1 what=$2 out=$TMPDIR/out.$1
	mkdir "$out"
	t_ok "$what: out, under its name" csn cp "$c:/data/file" "$out"
	t_is "$(cat "$out/file") $(stat -c '%a %u' "$out/file")" "hello 640 0" "$what: content and mode"
	t_ok "$what: out, under another" csn cp "$c:/data/file" "$out/other"
	t_is "$(cat "$out/other")" hello "$what: content"
	t_ok "$what: over a file" csn cp "$c:/data/file" "$out/other"
	t_ok "$what: a link is a link" csn cp "$c:/data/link" "$out"
	t_is "$(readlink "$out/link")" file "$what: where it leads"
	t_ok "$what: a directory into one" csn cp "$c:/data" "$out"
	t_is "$(cat "$out/data/file"; ls "$out/data")" "hello
$(printf 'a\nb\nfifo\nfile\nlink\nlinked\nover\nsub')" "$what: with all in it"
	t_ok "$what: what is in a directory" csn cp "$c:/data/." "$out/new"
	t_is "$(cat "$out/new/file")" hello "$what: makes the directory"
	t_ok "$what: through a link to a directory" csn cp "$c:/dir/file" "$out/through"
	t_is "$(csn cp "$c:/data" - | tar -t | LC_ALL=C sort | tr '\n' ' ')" 'data/ data/a\nb data/fifo data/file data/link data/linked data/over data/sub/ ' "$what: an archive on standard output"

	t_ok "$what: a file in" csn cp host/file "$c:/data/sub"
	t_ok "$what: a relative path, another name" csn cp ./host/file "$c:data/sub/named"
	t_ok "$what: a tree in" csn cp host/tree "$c:/data/sub/"
	t_ok "$what: a tree under another name" csn cp host/tree/ "$c:/made"
	t_ok "$what: an archive from standard input" bash -c 'tar -C host -c tree | "$@"' - "$CSN" --root "$world/root" --run-root "$world/run" cp - "$c:/data/sub/tree/deep"
	t_ok "$what: all of it out again" csn cp "$c:/data/sub" "$out"
	t_is "$(cd "$out/sub" && LC_ALL=C find . | LC_ALL=C sort | tr '\n' ' ')" \
		". ./file ./named ./tree ./tree/deep ./tree/deep/leaf ./tree/deep/tree ./tree/deep/tree/deep ./tree/deep/tree/deep/leaf ./tree/deep/tree/link ./tree/link " "$what: is what went in"
	t_is "$(cat "$out/sub/file" "$out/sub/named" "$out/sub/tree/deep/leaf" | tr '\n' ' ')$(stat -c %a "$out/sub/tree/deep/leaf") $(readlink "$out/sub/tree/link")" \
		"here here below 4750 deep/leaf" "$what: contents, modes, links"
	t_ok "$what: nothing more under another name" bash -c '"$@" | tar -t | grep -qx made/deep/leaf' - "$CSN" --root "$world/root" --run-root "$world/run" cp "$c:/made" -

	t_like "$(csn cp "$c:/missing" "$out" 2>&1)" '/missing' "$what: a missing file is named"
	t_like "$(csn cp "$c:/missing" - 2>&1 >/dev/null)" '/missing' "$what: also for standard output"
	t_like "$(csn cp host/file "$c:/missing/dir/x" 2>&1)" '/missing/dir' "$what: so is a missing directory"
	t_like "$(csn cp host/file "$c:/missing/" 2>&1)" 'directory .*/missing' "$what: a file needs the directory that is asked for"
	t_like "$(csn cp host/nothing "$c:/" 2>&1)" 'host/nothing' "$what: a missing file of the host is named"
	t_like "$(csn cp host/tree "$c:/data/file" 2>&1)" '/data/file' "$what: a directory is not copied over a file"
	t_like "$(csn cp - "$c:/data/file" <host/file 2>&1)" '/data/file' "$what: an archive is not unpacked into a file"
	t_like "$(csn cp - "$c:/data" <host/file 2>&1)" 'not a tar archive' "$what: nor is something else"
	ln -s linked "$out/over"
	: >"$out/linked"
	csn cp "$c:/data/file" "$out/over"
	csn cp host/file "$c:/data/over"
	t_is "$(cat "$out/linked") $(csn cp "$c:/data/linked" - | tar -xO)" "hello here" "$what: a copy over a link is one over what it leads to"
	mkfifo "$out/fifo"
	mknod "$out/device" c 1 3
	for special in "$out/fifo" "$out/device"; do
		t_fails_with "\"$special\" is neither a file nor a directory" csn cp "$c:/data/file" "$special"
	done
	t_fails_with '"/data/fifo" is neither a file nor a directory' csn cp host/file "$c:/data/fifo"
	t_is "$(stat -c %F "$out/fifo" "$out/device" | tr '\n' ' ')" "fifo character special file " "$what: which are still there"
	t_ok "$what: all files, but none of the kernel's" csn cp "$c:/" "$out/all"
	t_is "$(cat "$out/all/data/file") $(find "$out/all/proc" "$out/all/sys" | wc -l)" "hello 2" "$what: are those"
	for bad in "$c:/missing $out" "$c:/missing -" "host/nothing $c:/" "host/file $c:/missing/dir/x"; do
		# shellcheck disable=SC2086 # two words
		t_ok "$what: cp $bad fails" bash -c '! "$@" >/dev/null 2>&1' - "$CSN" --root "$world/root" --run-root "$world/run" cp $bad
	done
}
copies live "of one that runs"
t_is "$(inside cat /data/sub/file) $(inside stat -c '%u %a' /made/deep/leaf)" "here 0 4750" "the container sees it"

# What a container does with its links leads nowhere outside.
mkdir outside
echo secret >outside/secret
inside sh -c "ln -s '$TMPDIR/outside' /evil; ln -s ../../../../../../../../../..$TMPDIR/outside /data/evil; mkdir /tree2; ln -s '$TMPDIR/outside' /tree2/deep"
hostile() {
	local c=$1 what=$2
	for link in /evil /data/evil; do
		t_ok "$what: nothing is read through $link" bash -c '! "$@" >/dev/null 2>&1' - "$CSN" --root "$world/root" --run-root "$world/run" cp "$c:$link/secret" stolen
		csn cp host/file "$c:$link/planted" >/dev/null 2>&1
		csn cp host/file "$c:$link" >/dev/null 2>&1
	done
	csn cp host/tree/. "$c:/tree2" >/dev/null 2>&1
	t_is "$(ls outside) $(cat outside/secret) $(ls stolen 2>&1 | wc -l)" "secret secret 1" "$what: nor is anything written"
}
hostile live "of one that runs"
inside sh -c "mkdir -p '$TMPDIR/outside'; echo inner >'$TMPDIR/outside/secret'"
t_is "$(csn cp live:/evil/secret - | tar -xO) $(csn cp live:/data/evil/secret - | tar -xO)" "inner inner" "links lead to what is in the container"
t_ok "also to write" csn cp host/file live:/evil/planted
t_is "$(inside cat "$TMPDIR/outside/planted") $(ls outside)" "here secret" "which is there, and not outside"
inside rm -rf "$TMPDIR"
rm -rf out.live

csn exec live sh -c 'rm -rf /made /data/sub /evil /data/evil /tree2; mkdir /data/sub'
csn stop -t 0 live >/dev/null
t_fails_with 'container "live" is not running' csn top live
t_ok "diff of one that has ended" grep -qxF "D /bin/false" <<<"$(csn diff live)"
copies live "of one that has ended"
t_ok "it starts again" csn start live
t_ok "it is ready again" wait_until 10 inside test -e /ready
t_is "$(inside cat /data/sub/file)" here "and has what was copied in"
inside sh -c "rm -rf /tree2 /evil /data/evil; ln -s '$TMPDIR/outside' /evil; ln -s ../../../../../../../../../..$TMPDIR/outside /data/evil; mkdir /tree2; ln -s '$TMPDIR/outside' /tree2/deep"
csn stop -t 0 live >/dev/null
hostile live "of one that has ended"
t_ok "into one that was never started" csn cp host/file other:/new
t_is "$(csn cp other:/new - | tar -xO)" here "and out of it"
t_fails_with 'cp: neither source nor destination can be empty' csn cp '' other:/
t_fails_with 'cp: neither source nor destination can be empty' csn cp other:/new ''
t_like "$(python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)' "$CSN" --root "$world/root" --run-root "$world/run" cp other:/new - 2>&1)" \
	'not written to a terminal' "an archive is not for a terminal"
t_fails_with 'cp: expected CONTAINER:PATH on one of both sides' csn cp host/file host/other
t_fails_with 'container "nobody" does not exist' csn cp nobody:/file .

csn run -d --name user --user 12:34 --network none box sleep 1003 >/dev/null
csn cp host/file user:/plain && csn cp -a host/file user:/kept
t_is "$(csn exec user stat -c '%n %u:%g' /plain /kept | tr '\n' ' ')" "/plain 12:34 /kept 0:0 " "files belong to the container's user, with -a to theirs"
csn rm -f live other user ports >/dev/null
t_is "$(csn ps -aq)" "" "all is removed"
