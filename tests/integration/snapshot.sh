# What the machine looks like, as text files that can be compared. Sourced by run and lib.sh.
#
# snapshot DIR writes one sorted file per kind of thing a container can leave behind: mounts,
# cgroups, processes, links, nft, run (the tree of /run), host (host name). Ids and counters that
# change by themselves are left out. snapshot_diff BEFORE AFTER prints what differs, one line each
# ("+ cgroups: /caisson/web"), and fails when something does.

# The first cgroup2 mount of this mount namespace.
cgroup2_mount() {
	local mount
	mount=$(awk '{ for (i = 6; i < NF; i++) if ($i == "-" && $(i + 1) == "cgroup2") print $5 }' \
		/proc/self/mountinfo | tail -n 1)
	[ -n "$mount" ] && printf '%s\n' "$mount"
}

# Ids, parents and peer group numbers differ from run to run; what matters is where, what, how.
snapshot_mounts() {
	awk '{
		line = $4 " " $5 " " $6
		for (i = 7; i <= NF && $i != "-"; i++) { sub(/:.*/, "", $i); line = line " " $i }
		for (; i <= NF; i++) line = line " " $i
		print line
	}' /proc/self/mountinfo | sort
}

# Groups of this view. /caisson itself, the parent of groups without a path of their own, stays.
snapshot_cgroups() {
	local mount
	mount=$(cgroup2_mount) || return 0
	find "$mount" -mindepth 1 -type d -printf '/%P\n' 2>/dev/null | grep -vx /caisson | sort
}

# Every process but the caller. No pipe here: its other end would be in the list.
snapshot_processes() {
	local dir stat pid comm
	for dir in /proc/[0-9]*; do
		pid=${dir#/proc/}
		[ "$pid" != "$$" ] || continue
		{ IFS= read -r stat <"$dir/stat"; } 2>/dev/null || continue
		comm=${stat#*(}
		comm=${comm%)*}
		set -- ${stat##*) }
		[ "$2" = 2 ] || printf '%s (%s) state %s\n' "$pid" "$comm" "$1" # 2: kernel threads
	done
}

# A bridge that we made stays, as long as its network does; with a port on it is of interest.
snapshot_links() {
	local dir
	for dir in /sys/class/net/*; do
		case ${dir##*/} in csn*) [ -n "$(ls "$dir/brif")" ] || continue ;; esac
		[ -e "$dir" ] && printf '%s\n' "${dir##*/}"
	done | sort
}

# Our tables stay with our bridges: of them only what belongs to containers.
snapshot_nft() {
	command -v nft >/dev/null && nft list ruleset 2>/dev/null | awk '
		/^table/ { ours = $3 ~ /^caisson(-[0-9a-f]+)?$/ }
		/^\t(set|map|chain)/ { elements = $2 ~ /^(any|host|sources)[46]$/; inside = 0 }
		/elements = / { inside = 1 }
		!ours || (elements && inside)'
	return 0
}

snapshot_run() {
	find /run -xdev -mindepth 1 -printf '%y %p\n' 2>/dev/null | grep -vx 'd /run/caisson' | sort
}

snapshot() {
	local kind
	mkdir -p "$1"
	for kind in mounts cgroups processes links nft run; do
		snapshot_$kind >"$1/$kind"
	done
	uname -n >"$1/host"
}

# A process that was told to end needs a moment: the caller retries until this succeeds.
snapshot_diff() {
	local before=$1 after=$2 file kind status=0
	for file in "$before"/*; do
		kind=${file##*/}
		diff -U 0 "$file" "$after/$kind" | sed -n "/^[-+][-+][-+] /d; s/^\([-+]\)/\1 $kind: /p"
		cmp -s "$file" "$after/$kind" || status=1
	done
	return $status
}
