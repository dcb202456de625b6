#!/bin/bash
# I: terminals, and the system calls that the engine's profile lets through.
. "$(dirname "$0")/lib.sh"

engine_image
in_engine() { # ARGUMENT...: in a container of the engine, with all its defaults
	timeout 20 "$CSN" --root "$TMPDIR/engine" --run-root "$TMPDIR/engine-run" run --rm hostile "$@" 2>&1
}
b=$TMPDIR/b
make_bundle "$b" args='["hostile", "tiocsti"]'
put_hostile "$b/rootfs"

engine run -d --name i1 hostile sleep 1000 >/dev/null

# ---- I1: bytes pushed into a terminal ----------------------------------------------------------------
# In a terminal of the caller's: what is pushed there, the caller's shell would read.
on_tty() { # COMMAND: with a terminal as its three streams, which the shell that runs it controls
	timeout 20 script -qec "$1" /dev/null </dev/null | tr -d '\r'
}
refusal=$'0 EPERM EPERM\n1 EPERM EPERM\n2 EPERM EPERM'
t_is "$(on_tty "$CAISSON run -b $b i1")" "$refusal" "I1: run: nothing can be pushed into the caller's terminal"
make_bundle "$b" args='["sleep", "1000"]'
"$CAISSON" run -d -b "$b" i1
t_is "$(on_tty "$CAISSON exec i1 hostile tiocsti")" "$refusal" "I1: exec: neither"
t_like "$(on_tty "$CAISSON exec -t i1 sh -c 'echo \$(tty) of \$(ls /dev/pts)'")" "/dev/pts/0 of 0 ptmx" "I1: exec -t: a terminal of the container's own"
"$CAISSON" delete -f i1
t_like "$(on_tty "$CSN --root $TMPDIR/engine --run-root $TMPDIR/engine-run exec -it i1 hostile tiocsti")" "0 EPERM EPERM" \
	"I1: engine: not even into its own, and with high bits set neither"
[ "$(uname -m)" != x86_64 ] || t_is "$(in_engine sh -c 'hostile call 16 0 0x541c 0')" EPERM "I1: engine: TIOCLINUX"

# ---- I5: where the filter is in force ------------------------------------------------------------------
lines='grep -hE "^(Seccomp|NoNewPrivs):" /proc/self/status /proc/1/status | tr -d "\t" | sort -u | tr "\n" " "'
t_is "$(in_engine sh -c "$lines")" "NoNewPrivs:1 Seccomp:2 " "I5: engine: filter and no_new_privs for the program"
t_is "$(engine exec i1 sh -c "$lines")" "NoNewPrivs:1 Seccomp:2 " "I5: engine: and for what joins"

# ---- I2: socket families -----------------------------------------------------------------------------------
t_is "$(in_engine hostile families | tr '\n' ' ')" "1 2 10 16 " "I2: engine: UNIX, IPv4, IPv6 and netlink, nothing else"

# ---- I3: calls that a container has no need of ---------------------------------------------------------------
refused='
	add_key:248 request_key:249 keyctl:250 bpf:321 perf_event_open:298 userfaultfd:323 io_uring_setup:425
	io_uring_enter:426 io_uring_register:427 open_by_handle_at:304 kexec_load:246 kexec_file_load:320 mount:165
	umount2:166 fsopen:430 fsconfig:431 fsmount:432 fspick:433 open_tree:428 move_mount:429 mount_setattr:442
	pivot_root:155 unshare:272 setns:308 init_module:175 finit_module:313 delete_module:176 swapon:167 swapoff:168
	reboot:169 settimeofday:164 clock_settime:227 acct:163 iopl:172 ioperm:173 quotactl:179 syslog:103 vhangup:153
	sethostname:170 setdomainname:171 nfsservctl:180 lookup_dcookie:212 uselib:134 ustat:136 sysfs:139 _sysctl:156
	move_pages:279 process_madvise:440 pidfd_getfd:438'
[ "$(uname -m)" = x86_64 ] || refused=
wrong=$(in_engine sh -c 'for c in '"$(echo $refused)"'; do
	r=$(hostile call ${c#*:} -1 -1 -1 -1 -1 -1)
	case $r in EPERM | ENOSYS) ;; *) echo "$c $r" ;; esac
done')
t_is "$wrong" "" "I3: engine: $(wc -w <<<"$refused") system calls are refused"
if [ "$(uname -m)" = x86_64 ]; then
	t_is "$(in_engine sh -c 'hostile call 435 0 0; hostile call 999')" $'ENOSYS\nENOSYS' \
		"I3: engine: clone3 and calls that are not known are said to be missing"
	# The whole of it, as numbers: whoever changes the profile sees what became of it here.
	with=$(in_engine hostile calls)
	make_bundle "$b" args='["hostile", "calls"]'
	run_container "$b"
	golden=$(dirname "$0")/refused-calls.x86_64
	numbers() { # of refused calls that Linux 6.1 has
		cut -d' ' -f1 <<<"$1" | awk '$1 <= 450' | sort
	}
	t_is "$(comm -13 <(numbers "$with") <(grep -v '^#' "$golden" | sort))" "" "I3: engine: every call of ${golden##*/} is refused"
	t_is "$(comm -23 <(numbers "$with") <(numbers "$output") | comm -23 - <(grep -v '^#' "$golden" | sort))" "" \
		"I3: engine: the profile refuses no other"
fi

# ---- I4, I6, I7: by other doors --------------------------------------------------------------------------
if [ "$(uname -m)" = x86_64 ]; then
	# mount and unshare as i386, getpid and mount as x32.
	out=$(in_engine sh -c 'hostile call32 21; hostile call32 310; hostile call 0x40000027; hostile call 0x400000a5')
	t_is "$(grep -cvE '^(EPERM|ENOSYS|Bad system call|Illegal instruction|Segmentation fault)$' <<<"$out")" 0 \
		"I4: engine: neither int 0x80 nor x32 leads around the filter"
	# Arguments at the edges: personality's list is exact.
	t_is "$(in_engine sh -c 'for p in 0 8 0x20000 0x20008 0xffffffff 0x40000 0x400000 0x0200000 0x100000000; do hostile call 135 $p; done' |
		sed 's/ENOSYS/EPERM/' | tr '\n' ' ')" "ok ok ok ok ok EPERM EPERM EPERM EPERM " \
		"I6: engine: personality takes the harmless ones alone"
	t_is "$(in_engine sh -c 'hostile call 272 0x10000000; hostile call 56 0x10000011')" $'EPERM\nEPERM' \
		"I7: engine: no user namespace by unshare or clone"
fi
t_like "$(in_engine sh -c 'unshare -U true 2>&1')" "Operation not permitted" "I7: engine: no nested user namespace"
t_is "$(in_engine sh -c 'grep -E "Speculation_Store_Bypass|Speculation_Indirect" /proc/self/status | grep -ci ": *vulnerable"')" 0 \
	"I6: engine: no speculation hole is said to be open"

# ---- end ----------------------------------------------------------------------------------------------
engine rm -f i1 >/dev/null
