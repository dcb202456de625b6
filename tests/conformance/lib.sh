# What conformance tests share. They are integration tests (../integration/lib.sh) whose assertions
# begin with the number of the requirement that they show: "M-012 …". tests/conformance/musts lists
# the requirements, `make conformance` writes STATUS.md from both.
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"

b=$TMPDIR/b

# fails NAME MESSAGE COMMAND...: non-zero with exactly this error.
fails() {
	local name=$1 want=$2 text code got
	shift 2
	"$@" 2>"$TMPDIR/.errors" >/dev/null
	code=$?
	text=$(cat "$TMPDIR/.errors")
	got=$(error_text "$text")
	[ -n "$got" ] || got=$text
	if [ $code = 0 ]; then
		t_fail "$name" "command: $*" "status:  0"
	elif [ "$got" = "$want" ]; then
		t_pass "$name"
	else
		t_fail "$name" "status: $code" "got:    $got" "wanted: $want" "output: $text"
	fi
}

# refused NAME MESSAGE [NAME=JSON...]: create of such a bundle fails and leaves no container.
refused() {
	local name=$1 message=$2
	shift 2
	make_bundle "$b" "$@"
	fails "$name" "$message" "$CAISSON" create -b "$b" refused
	t_is "$("$CAISSON" list -q | grep -x refused)" "" "$name: nothing stays"
}

# accepted NAME [NAME=JSON...]: run of such a bundle succeeds.
accepted() {
	local name=$1
	shift
	make_bundle "$b" "$@"
	run_container "$b"
	t_is "$status:$errors" "0:" "$name"
}
