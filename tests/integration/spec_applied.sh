#!/bin/bash
# What a config asks for arrives: sysctls (and none of the host's), CPUs of exec, the template.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b

# ---- sysctl -------------------------------------------------------------------------------------
run_script "$b" 'cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shm_rmid_forced' \
	linux='"sysctl": {"net.ipv4.ip_default_ttl": "77", "kernel/shm_rmid_forced": "1"}'
t_is "$output" $'77\n1' "sysctls of new namespaces, both ways to write them"

# With the value that is there, should it ever be written.
pattern=$(json_string "$(cat /proc/sys/kernel/core_pattern)")
for name in net.//.kernel.core_pattern net/../kernel/core_pattern; do
	make_bundle "$b" linux="\"sysctl\": {\"$name\": $pattern}"
	t_fails_with "config.json: linux.sysctl: \"$name\" is no sysctl name" "$CAISSON" run -b "$b" x
done

ttl=$(cat /proc/sys/net/ipv4/ip_default_ttl)
make_bundle "$b" linux='"sysctl": {"net.ipv4.ip_default_ttl": "78"}' \
	namespaces='{"type": "pid"}, {"type": "uts"}, {"type": "mount"},
		{"type": "network", "path": "/proc/self/ns/net"}'
t_fails_with "linux.sysctl: \"net.ipv4.ip_default_ttl\" would be the host's: the network namespace to join is the host's own" \
	"$CAISSON" run -b "$b" x
t_is "$(cat /proc/sys/net/ipv4/ip_default_ttl)" "$ttl" "and its sysctl is what it was"

# ---- execCPUAffinity ----------------------------------------------------------------------------
cpus_of() { # AFFINITY: of a process that exec starts
	cat >"$TMPDIR/process.json" <<-END
		{"cwd": "/", "args": ["sed", "-n", "s/^Cpus_allowed_list:[ \\t]*//p", "/proc/self/status"],
		 "env": ["PATH=/bin"], "execCPUAffinity": $1}
	END
	"$CAISSON" exec --process "$TMPDIR/process.json" x
}
make_bundle "$b" args='["sleep", "60"]'
t_ok "a container to exec in" "$CAISSON" run --detach --bundle "$b" x
all=$(cpus_of '{}')
first=${all%%[-,]*} last=${all##*[-,]}
# Without final ones it is the kernel's choice: some keep the initial ones in the new cgroup, others
# give those of its cpuset.
t_like "$(cpus_of "{\"initial\": \"$first\"}")" "^($first|$all)\$" "initial CPUs, or the cgroup's"
t_is "$(cpus_of "{\"initial\": \"$first\", \"final\": \"$last\"}")" "$last" "final CPUs"
t_is "$(cpus_of "{\"final\": \"$all\"}")" "$all" "a list"
t_fails_with 'process.execCPUAffinity.final: "8000": Invalid argument' cpus_of '{"final": "8000"}'
t_fails_with 'process.execCPUAffinity.initial: no such CPUs: "9000"' cpus_of '{"initial": "9000"}'
t_ok "the container goes" "$CAISSON" delete --force x

# ---- caisson spec -------------------------------------------------------------------------------
for flag in "" --rootless; do
	rm -f "$b/config.json"
	t_ok "spec $flag" "$CAISSON" spec --bundle "$b" $flag
	sed -i 's/"terminal": true/"terminal": false/; s/"sh"$/"cat", "\/proc\/self\/uid_map"/' "$b/config.json"
	run_container "$b"
	t_is "$status" 0 "the template runs ${flag:-as it is}"
	t_fails_with "bundle \"$b\": config.json exists already: remove it first" \
		"$CAISSON" spec --bundle "$b"
done
t_is "$(echo $output)" "0 0 1" "the one without root maps one id, the caller's"
