# What lints share. SRC is the source tree (default: the one around this file), BUILD the build tree.
set -u
SRC=${SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${BUILD:-$PWD}
lint=${0##*/}
bad=0

# complain WHERE WHAT
complain() {
	echo "$1: $2"
	bad=$((bad + 1))
}

verdict() {
	if [ "$bad" = 0 ]; then
		echo "$lint: ok"
		exit 0
	fi
	echo "$lint: $bad violation(s)"
	exit 1
}

skip() {
	echo "$lint: skipped: $1"
	exit 77
}

# Our C sources and headers, relative to SRC.
sources() {
	(cd "$SRC" && find lib cgroups netns bin tests -name '*.[ch]' 2>/dev/null | sort)
}
