#!/bin/bash
# What containers of the engine may do: the defaults, and each option that changes them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"

effective() { # OPTION...: the effective capabilities of a container's program
	csn run --rm "$@" box sed -n 's/^CapEff:[ \t]*//p' /proc/self/status
}
status_of() { # FIELD OPTION...
	local field=$1
	shift
	csn run --rm "$@" box sed -n "s/^$field:[ \t]*//p" /proc/self/status
}

t_is "$(effective)" 00000000800405fb "eleven capabilities"
t_is "$(effective --cap-drop ALL)" 0000000000000000 "none"
t_is "$(effective --cap-drop ALL --cap-add net_admin)" 0000000000001000 "one that is added stays"
t_is "$(effective --cap-add NET_ADMIN --cap-drop CAP_CHOWN)" 00000000800415fa "one more, one less"
mine=$(sed -n 's/^CapBnd:[ \t]*//p' /proc/self/status)
t_is "$(effective --privileged)" "$mine" "privileged: what we have"
t_is "$(effective --cap-add ALL)" "$mine" "all of them"
t_fails_with 'cap_add "fly": unknown capability' csn run --cap-add fly box true

t_is "$(status_of NoNewPrivs)" 1 "no new privileges"
t_is "$(status_of NoNewPrivs --security-opt no-new-privileges:false)" 0 "unless they are wanted"
t_is "$(status_of Seccomp)" 2 "a seccomp filter"
t_is "$(status_of Seccomp --security-opt seccomp=unconfined)" 0 "or none"
t_is "$(status_of Seccomp --privileged)" 0 "privileged: none"
t_is "$(status_of Groups --group-add 4242 --group-add 7)" "0 7 4242 " "more groups"
t_fails_with "group \"nobodies\": not in the image's /etc/group" \
	csn run --group-add nobodies box true

t_is "$(csn run --rm --sysctl net.ipv4.ip_default_ttl=77 box cat /proc/sys/net/ipv4/ip_default_ttl)" \
	77 "a kernel parameter"
t_is "$(csn run --rm box sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward' 2>&1 | grep -c 'Read-only')" 1 \
	"which the container itself cannot set"
t_ok "but a privileged one can" csn run --rm --privileged box \
	sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
t_fails_with 'sysctl "x": expected NAME=VALUE' csn run --sysctl x box true

t_is "$(csn run --rm --pid host box readlink /proc/self/ns/pid)" "$(readlink /proc/self/ns/pid)" \
	"the host's processes"
t_is "$(csn run --rm --ipc host box readlink /proc/self/ns/ipc)" "$(readlink /proc/self/ns/ipc)" \
	"the host's IPC"
t_is "$(csn run --rm --uts host box readlink /proc/self/ns/uts)" "$(readlink /proc/self/ns/uts)" "the host's UTS namespace"
t_is "$(csn run --rm --uts host box sh -c 'echo $HOSTNAME; cat /etc/hostname; hostname')" "$(uname -n; uname -n; uname -n)" \
	"and the host's name"
csn create --name named --uts host box true >/dev/null
t_like "$(csn inspect named | tr -d ' \n')" "\"hostname\":(null|\"$(uname -n)\")" "inspect works"
csn rm named >/dev/null
t_fails_with 'hostname "other": it has the host'"'s (uts)" csn run --uts host --hostname other box true
t_fails_with '--uts "web": expected "host" or "private"' csn run --uts web box true
t_fails_with '--pid "web": expected "host" or "private"' csn run --pid web box true

# ---- exec has the container's rights --------------------------------------------------------------
csn run -d --name c --cap-drop ALL --security-opt no-new-privileges:false box sleep 100 >/dev/null
t_is "$(csn exec c sed -n 's/^CapEff:[ \t]*//p' /proc/self/status)" 0000000000000000 \
	"exec: the container's capabilities"
t_is "$(csn exec c sed -n 's/^NoNewPrivs:[ \t]*//p' /proc/self/status)" 0 "and its privileges"
t_ok "the container goes" csn rm -f c
