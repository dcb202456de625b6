#!/bin/bash
# Hooks: the six kinds, their order, their state, their failures and time limits.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
make_bundle "$b"
trace=$TMPDIR/trace
# The hook of the host side notes its name, the status it was told and where it runs.
cat >"$TMPDIR/hook" <<END
#!/bin/bash
state=\$(cat)
status=\$(sed -n 's/.*"status": *"\\([a-z]*\\)".*/\\1/p' <<<"\$state")
ns=outside
[ "\$(readlink /proc/self/ns/mnt)" = "$(readlink /proc/self/ns/mnt)" ] || ns=inside
echo "\$1 \$status \$ns" >>"$trace"
END
chmod +x "$TMPDIR/hook"
# That of the container side finds the trace by a bind mount.
cat >"$b/rootfs/bin/inhook" <<END
#!/bin/sh
status=\$(sed -n 's/.*"status": *"\\([a-z]*\\)".*/\\1/p')
ns=outside
[ "\$(readlink /proc/self/ns/mnt)" = "$(readlink /proc/self/ns/mnt)" ] || ns=inside
echo "\$1 \$status \$ns" >>/trace
END
chmod +x "$b/rootfs/bin/inhook"
: >"$trace"
trace_mount="{\"destination\": \"/trace\", \"type\": \"bind\", \"source\": \"$trace\", \"options\": [\"bind\"]}"
outer() { printf '[{"path": "%s/hook", "args": ["hook", "%s"]}]' "$TMPDIR" "$1"; }
inner() { printf '[{"path": "/bin/inhook", "args": ["inhook", "%s"], "env": ["PATH=/bin"]}]' "$1"; }

# createContainer runs in the container's mount namespace before the root is changed, so its path
# is still one of the host.
make_bundle "$b" args='["sh", "-c", "echo program >>/trace; sleep 1000"]' more_mounts="$trace_mount" \
	hooks="{\"prestart\": $(outer prestart), \"createRuntime\": $(outer createRuntime),
		\"createContainer\": $(outer createContainer), \"startContainer\": $(inner startContainer),
		\"poststart\": $(outer poststart), \"poststop\": $(outer poststop)}"
t_ok "create with hooks" "$CAISSON" create -b "$b" h1
t_is "$(cat "$trace")" "prestart creating outside
createRuntime creating outside
createContainer creating inside" "create runs prestart, createRuntime, createContainer"
: >"$trace"
t_ok "start" "$CAISSON" start h1
wait_until 10 grep -q program "$trace"
wait_until 10 grep -q poststart "$trace"
t_is "$(head -n 1 "$trace")" "startContainer created inside" "startContainer runs in the container, first"
t_is "$(sort "$trace")" $'poststart running outside\nprogram\nstartContainer created inside' \
	"poststart runs outside when the program runs"
: >"$trace"
"$CAISSON" kill h1 KILL
wait_until 10 status_is h1 stopped
t_is "$(cat "$trace")" "" "the end alone runs nothing"
t_ok "delete" "$CAISSON" delete h1
t_is "$(cat "$trace")" "poststop stopped outside" "poststop runs at delete"

: >"$trace"
make_bundle "$b" more_mounts="$trace_mount" hooks="{\"createRuntime\": [
	{\"path\": \"$TMPDIR/hook\", \"args\": [\"hook\", \"one\"]},
	{\"path\": \"$TMPDIR/hook\", \"args\": [\"hook\", \"two\"]}], \"poststop\": $(outer poststop)}"
run_container "$b"
t_is "$status:$(cut -d ' ' -f 1 "$trace" | tr '\n' ' ')" "0:one two poststop " "several of a kind run in their order"

cat >"$TMPDIR/hookenv" <<END
#!/bin/bash
cat >"$TMPDIR/state.json"
echo "\$0 \$*" >"$TMPDIR/args"
env | sort | grep -v -E '^(_|PWD|SHLVL)=' >"$TMPDIR/env"
END
chmod +x "$TMPDIR/hookenv"
make_bundle "$b" top='"annotations": {"k": "v"}' hooks="{\"createRuntime\": [{\"path\": \"$TMPDIR/hookenv\",
	\"args\": [\"name\", \"a b\"], \"env\": [\"X=1\"]}]}"
run_container "$b"
t_is "$(cat "$TMPDIR/env")" X=1 "a hook has the environment of the config alone"
t_like "$(cat "$TMPDIR/args")" ' a b$' "and its arguments"
t_is "$(json_field id <"$TMPDIR/state.json")" "$id" "the state has the id"
t_is "$(json_field bundle <"$TMPDIR/state.json")" "$b" "and the bundle"
t_like "$(json_field pid <"$TMPDIR/state.json")" '^[1-9][0-9]*$' "and the pid"
t_like "$(cat "$TMPDIR/state.json")" '"annotations":.*"k": *"v"' "and the annotations"

# ---- failures -----------------------------------------------------------------------------------
printf '#!/bin/sh\necho "no luck" >&2\nexit 3\n' >"$TMPDIR/failing"
chmod +x "$TMPDIR/failing"
for kind in prestart createRuntime createContainer; do
	make_bundle "$b" hooks="{\"$kind\": [{\"path\": \"$TMPDIR/failing\"}], \"poststop\": $(outer poststop)}"
	: >"$trace"
	run_container "$b"
	t_like "$status:$(error_text "$errors")" "^1:.*$kind.*failing.*exit status 3" "$kind that fails is told"
	t_is "$("$CAISSON" list -q)" "" "and the container is undone"
done
make_bundle "$b" hooks="{\"createRuntime\": [{\"path\": \"/not/there\"}]}"
run_container "$b"
t_like "$status:$(error_text "$errors")" '^1:.*createRuntime.*/not/there.*No such file' "a hook that is not there"
printf '#!/bin/sh\nexit 4\n' >"$b/rootfs/bin/failing"
chmod +x "$b/rootfs/bin/failing"
make_bundle "$b" hooks='{"startContainer": [{"path": "/bin/failing"}]}'
run_container "$b"
t_like "$status:$(error_text "$errors")" '^1:.*startContainer.*exit status 4' "startContainer that fails"
make_bundle "$b" args='["echo", "ran"]' hooks="{\"poststop\": [{\"path\": \"$TMPDIR/failing\"}]}"
run_container "$b"
t_is "$status:$output" "0:ran" "poststop that fails does not change the outcome"
t_like "$errors" 'level=warning.*poststop.*exit status 3' "but is told"
printf '#!/bin/sh\nsleep 1000\n' >"$TMPDIR/slow"
chmod +x "$TMPDIR/slow"
make_bundle "$b" hooks="{\"createRuntime\": [{\"path\": \"$TMPDIR/slow\", \"timeout\": 1}]}"
begin=$SECONDS
run_container "$b"
t_like "$status:$(error_text "$errors")" '^1:.*createRuntime.*timed out after 1 s' "a time limit"
t_ok "is kept" test $((SECONDS - begin)) -lt 10
: >"$trace"
make_bundle "$b" args='["nothing-like-this"]' hooks="{\"createRuntime\": $(outer createRuntime), \"poststop\": $(outer poststop)}"
run_container "$b"
t_is "$status:$(cat "$trace")" $'1:createRuntime creating outside\npoststop stopped outside' \
	"poststop undoes what hooks did, when a later step fails"
