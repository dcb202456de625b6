#!/bin/bash
# podman (with conmon, netavark) over caisson.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need podman conmon
client_sandbox "$@"
client_groups=(libpod_parent/conmon libpod_parent)

mkdir -p "$TMPDIR/etc"
cat >"$TMPDIR/etc/containers.conf" <<END
[containers]
pids_limit = 0
default_sysctls = []
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "$RUNTIME_NAME"
runtime_supports_json = ["$RUNTIME_NAME"]
runtime_supports_nocgroup = ["$RUNTIME_NAME"]
[engine.runtimes]
$RUNTIME_NAME = ["$CLIENT_RUNTIME"]
[network]
network_backend = "netavark"
END
cat >"$TMPDIR/etc/storage.conf" <<END
[storage]
driver = "overlay"
runroot = "/run/containers/storage"
graphroot = "/var/lib/containers/storage"
END
export CONTAINERS_CONF=$TMPDIR/etc/containers.conf CONTAINERS_STORAGE_CONF=$TMPDIR/etc/storage.conf

mkdir "$TMPDIR/vol"
echo outside >"$TMPDIR/vol/file"
p() { podman "$@"; }
# Without a network of its own each container costs a third.
run() { podman run --rm --network none "$@"; }

make_image "$TMPDIR/image.tar"
t_ok "podman load" p load -q -i "$TMPDIR/image.tar"
p tag "$(p images -q | head -n 1)" "$IMAGE"
t_shows "$RUNTIME_NAME" "podman info names the runtime" p info --format '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Version}}'

# ---- run: output, status, environment ------------------------------------------------------------
basics() {
	t_says hello "run" run $IMAGE echo hello
	t_exits 42 "an exit code" run $IMAGE sh -c 'exit 42'
	t_exits 137 "a program that SIGKILL ends is 137" run $IMAGE sh -c 'sh -c "kill -9 \$\$"; exit $?'
	t_exits 127 "a missing program is 127" run $IMAGE /nosuch
	t_exits 127 "a missing program of PATH is 127" run $IMAGE nosuch
	t_exits 126 "what may not be run is 126" run $IMAGE /etc/passwd
	t_says "a b" "environment" run -e X='a b' $IMAGE sh -c 'echo "$X"'
	t_says /tmp "workdir" run -w /tmp $IMAGE pwd
	t_says 1000:1000 "user" run -u 1000:1000 $IMAGE sh -c 'echo $(id -u):$(id -g)'
	t_says "0 7 9" "groups" run --group-add 7 --group-add 9 $IMAGE id -G
	t_says box7 "hostname" run --hostname box7 $IMAGE hostname
	t_says $'1' "its first process is 1" run $IMAGE sh -c 'echo $$'
	t_says 0077 "umask" run --umask 0077 $IMAGE sh -c umask
}

# ---- terminal and standard input -----------------------------------------------------------------
terminals() {
	t_shows '/dev/pts/0|/dev/console' "run -t has a terminal" with_tty podman run --rm --network none -t $IMAGE tty
	t_says typed "run -i reads standard input" sh -c "echo typed | podman run --rm --network none -i $IMAGE cat"
	# podman says the size while the program starts: it may not be there at the first look.
	t_shows '31 97' "the terminal has the caller's size" script -qec \
		"stty rows 31 cols 97; podman run --rm --network none -t $IMAGE sh -c '
			for i in 1 2 3 4 5 6 7 8 9; do stty size | grep -v stty && exit; sleep 0.2; done'" /dev/null
}

# ---- file systems --------------------------------------------------------------------------------
files() {
	t_says outside "a volume is read" run -v "$TMPDIR/vol:/v" $IMAGE cat /v/file
	t_exits 0 "a volume is written" run -v "$TMPDIR/vol:/v" $IMAGE sh -c 'echo inside >/v/new'
	t_is "$(cat "$TMPDIR/vol/new")" inside "and the host sees it"
	t_exits 1 "a read-only volume" run -v "$TMPDIR/vol:/v:ro" $IMAGE touch /v/x
	t_shows 'Read-only' "says why" sh -c "podman run --rm --network none -v '$TMPDIR/vol:/v:ro' $IMAGE touch /v/x 2>&1; true"
	t_says data "a named volume" sh -c "podman run --rm --network none -v vol1:/v $IMAGE sh -c 'echo data >/v/f' &&
		podman run --rm --network none -v vol1:/v $IMAGE cat /v/f"
	t_shows 'tmpfs /t tmpfs .*size=1024k' "a tmpfs with a size" run --tmpfs /t:size=1m $IMAGE grep ' /t ' /proc/mounts
	t_exits 1 "a read-only root" run --read-only $IMAGE touch /x
	t_exits 0 "with /tmp still writable" run --read-only $IMAGE touch /tmp/x
	t_exits 0 "shm size" run --shm-size 2m $IMAGE sh -c 'grep " /dev/shm .*size=2048k" /proc/mounts'
	mount --bind "$TMPDIR/vol" "$TMPDIR/vol"
	mount --make-shared "$TMPDIR/vol"
	t_shows 'master:' "propagation" run -v "$TMPDIR/vol:/v:rslave" $IMAGE grep ' /v ' /proc/self/mountinfo
}

# ---- security ------------------------------------------------------------------------------------
security() {
	t_says 0000000000000000 "all capabilities dropped" run --cap-drop all $IMAGE awk '/^CapEff/ { print $2 }' /proc/self/status
	t_says 0000000000001000 "one capability" run --cap-drop all --cap-add net_admin $IMAGE awk '/^CapEff/ { print $2 }' /proc/self/status
	t_says 2 "a seccomp filter" run $IMAGE awk '/^Seccomp:/ { print $2 }' /proc/self/status
	t_says 0 "no seccomp filter" run --security-opt seccomp=unconfined $IMAGE awk '/^Seccomp:/ { print $2 }' /proc/self/status
	cat >"$TMPDIR/deny.json" <<END
{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}
END
	t_exits 1 "the filter bites" run --cap-add sys_admin --security-opt seccomp="$TMPDIR/deny.json" $IMAGE mkdir /tmp/d
	t_says 1 "no-new-privileges" run --security-opt no-new-privileges $IMAGE awk '/^NoNewPrivs/ { print $2 }' /proc/self/status
	t_exits 0 "privileged" run --privileged $IMAGE sh -c '[ -c /dev/kmsg ] && mount -t tmpfs x /mnt 2>/dev/null || mkdir -p /mnt && mount -t tmpfs x /mnt'
	t_exits 1 "masked paths are empty" run $IMAGE sh -c '[ -s /proc/kcore ]'
	t_exits 1 "/proc/sys is read-only" run $IMAGE sh -c 'echo 1 >/proc/sys/kernel/panic'
	t_says 7 "sysctl" run --sysctl net.ipv4.ip_default_ttl=7 $IMAGE cat /proc/sys/net/ipv4/ip_default_ttl
	t_says 64:128 "ulimit" run --ulimit nofile=64:128 --ulimit nproc=100:200 $IMAGE sh -c 'echo $(ulimit -Sn):$(ulimit -Hn)'
	t_exits 0 "a device" run --device /dev/full:/dev/mine $IMAGE sh -c '[ -c /dev/mine ] && ! echo x >/dev/mine'
	t_says "0 100000 65536" "a user namespace" run --uidmap 0:100000:65536 --gidmap 0:100000:65536 $IMAGE \
		sh -c 'echo $(cat /proc/self/uid_map)'
	t_exits 0 "pid of the host" run --pid host $IMAGE sh -c '[ $$ != 1 ]'
	t_exits 0 "ipc and uts of the host" run --ipc host --uts host $IMAGE true
	t_exits 0 "network of the host" podman run --rm --network host $IMAGE grep -q lo: /proc/net/dev
	t_says init "an init process" run --init $IMAGE sh -c 'grep -q init /proc/1/cmdline && echo init'
	t_exits 0 "cgroups disabled" run --cgroups disabled $IMAGE true
}

# ---- life ----------------------------------------------------------------------------------------
life() {
	t_exits 0 "run --detach" p run -d --name d --network none $IMAGE sh -c 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done'
	t_soon up "logs" p logs d
	t_says running "inspect: running" p inspect -f '{{.State.Status}}' d
	t_says in "exec" p exec d echo in
	t_exits 5 "exec passes the code" p exec d sh -c 'exit 5'
	t_exits 127 "exec of a missing program is 127" p exec d nosuch
	t_exits 126 "exec of what may not run is 126" p exec d /etc/passwd
	t_says "v 1000 /tmp" "exec: env, user, workdir" p exec -e V=v -u 1000 -w /tmp d sh -c 'echo $V $(id -u) $(pwd)'
	t_shows '/dev/pts/' "exec -t" with_tty podman exec -t d tty
	t_says piped "exec -i" sh -c 'echo piped | podman exec -i d cat'
	t_exits 0 "exec -d" p exec -d d touch /tmp/detached
	t_ok "happened" wait_until 5 podman exec d test -e /tmp/detached
	t_exits 0 "exec --privileged" p exec --privileged d true
	t_shows 'PID.*COMMAND.*sh' "top" p top d
	t_shows 'sleep' "top with ps options" p top d -ef
	t_shows 'd ' "stats" p stats --no-stream --format '{{.Name}} {{.CPUPerc}}' d
	t_exits 0 "pause" p pause d
	t_says paused "inspect: paused" p inspect -f '{{.State.Status}}' d
	t_exits 0 "unpause" p unpause d
	t_exits 0 "kill with a signal that it ignores" p kill -s WINCH d
	t_exits 0 "stop" p stop -t 5 d
	t_says 3 "the code of its trap" p inspect -f '{{.State.ExitCode}}' d
	t_soon bye "its last words" p logs d
	t_exits 0 "start again" p start d
	t_soon running "inspect: running again" p inspect -f '{{.State.Status}}' d
	t_exits 0 "restart" p restart -t 1 d
	t_exits 0 "kill" p kill d
	t_says 137 "wait" p wait d
	t_exits 0 "rm" p rm d
	t_exits 0 "create, start, attached" p create --name c --network none $IMAGE echo later
	t_says later "start -a" p start -a c
	t_exits 0 "rm -f" p rm -f c
	t_exits 0 "run that a client kills: rm -f of a running one" p run -d --name k --network none $IMAGE sleep 100
	t_exits 0 "rm -f running" p rm -f -t 0 k
	t_exits 0 "cp" sh -c "podman run -d --name cp --network none $IMAGE sleep 100 && podman cp $TMPDIR/vol/file cp:/tmp/f &&
		podman exec cp grep -q outside /tmp/f && podman rm -f -t 0 cp"
}

# ---- limits, where there are controllers ---------------------------------------------------------
limits() {
	limit() { run "${@:3}" $IMAGE cat "/sys/fs/cgroup/$1"; }
	if has_controller memory && has_controller cpu && has_controller pids; then
		t_says 67108864 "memory" limit memory.max - -m 64m
		t_says 33554432 "memory and swap" limit memory.swap.max - -m 64m --memory-swap 96m
		t_says "50000 100000" "cpus" limit cpu.max - --cpus 0.5
		t_says 77 "pids" limit pids.max - --pids-limit 77
		t_says 0 "cpuset" limit cpuset.cpus - --cpuset-cpus 0
		p run -d --name l --network none -m 32m $IMAGE sh -c 'sleep 1; tail /dev/zero' >/dev/null
		# Its OOMKilled stays false here, with crun too: conmon 2.1.6 leaves no file "oom".
		t_says 137 "out of memory" p wait l
		p rm -f l >/dev/null
		p run -d --name l --network none -m 64m $IMAGE sleep 100 >/dev/null
		t_shows '67.11MB|64MiB' "stats show the limit" p stats --no-stream --format '{{.MemUsage}}' l
		t_exits 0 "update" p update -m 80m --cpus 0.25 l
		t_says $'83886080\n25000 100000' "changes them" p exec l sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max'
		t_exits 0 "checkpoint is offered" sh -c "podman container checkpoint --help >/dev/null"
		p rm -f -t 0 l >/dev/null
	else
		t_skip "limits" "no controllers here"
	fi
}

# ---- restart policy, health, pods, hooks ---------------------------------------------------------
services() {
	t_exits 0 "a restart policy" p run -d --name r --restart on-failure:2 --network none $IMAGE sh -c 'echo x; exit 1'
	t_soon '^x[^x]*x[^x]*x$' "runs it three times" p logs r
	p rm -f -t 0 r >/dev/null
	t_exits 0 "a health check" p run -d --name h --health-cmd 'test -e /tmp/ok' --health-interval disable --network none $IMAGE sh -c 'touch /tmp/ok; sleep 100'
	t_ok "is healthy" wait_until 5 podman healthcheck run h
	p rm -f -t 0 h >/dev/null
	t_exits 0 "a published port" p run -d --name w -p 127.0.0.1:8080:80 $IMAGE \
		sh -c 'mkdir /www; echo served >/www/index.html; exec httpd -f -p 80 -h /www'
	t_soon served "answers" busybox wget -qO- http://127.0.0.1:8080/
	p rm -f -t 0 w >/dev/null
	mkdir "$TMPDIR/hooks"
	cat >"$TMPDIR/hooks/h.json" <<END
{"version": "1.0.0", "hook": {"path": "/bin/sh", "args": ["sh", "-c", "cat >>$TMPDIR/hook.out; echo >>$TMPDIR/hook.out"]},
"when": {"always": true}, "stages": ["prestart", "createRuntime", "poststop"]}
END
	t_exits 0 "hooks" podman --hooks-dir "$TMPDIR/hooks" run --rm --network none $IMAGE true
	t_is "$(grep -c '"status"' "$TMPDIR/hook.out")" 3 "of three kinds ran"
	t_exits 0 "--preserve-fds" bash -c "exec 3<'$TMPDIR/vol/file'; [ \"\$(podman run --rm --network none --preserve-fds 1 $IMAGE cat /dev/fd/3)\" = outside ]"
	t_exits 0 "sdnotify" run --sdnotify=conmon $IMAGE true
}

# ---- pods; a podman that knows nothing of us -----------------------------------------------------
pods() {
	t_exits 0 "pod create" p pod create --name pod --network none --infra-image $IMAGE --infra-command 'sleep 100'
	t_says inside "a container in it" podman run --rm --pod pod $IMAGE echo inside
	t_exits 0 "another sees its processes" podman run --rm --pod pod --pid container:"$(p pod inspect -f '{{.InfraContainerID}}' pod)" \
		$IMAGE sh -c 'grep -q sleep /proc/1/cmdline'
	t_exits 0 "pod rm" p pod rm -f -t 0 pod
}

# Without runtime_supports_json podman reads the text of errors from standard error.
strangers() {
	grep -v '^runtime\|^\[engine.runtimes\]\|^'"$RUNTIME_NAME" "$TMPDIR/etc/containers.conf" >"$TMPDIR/etc/plain.conf"
	local CONTAINERS_CONF=$TMPDIR/etc/plain.conf
	plain() { podman --runtime "$CLIENT_RUNTIME" run --rm --network none $IMAGE "$@"; }
	t_says hello "podman --runtime PATH" plain echo hello
	t_exits 127 "a missing program is 127" plain /nosuch
	t_exits 127 "a missing program of PATH is 127" plain nosuch
	t_exits 126 "what may not be run is 126" plain /etc/passwd
	t_exits 126 "a directory is 126" plain /tmp
}

for section in ${PODMAN_SECTIONS:-basics terminals files security life limits services pods strangers}; do
	$section
done
t_says "" "nothing is left in podman's list" p ps -aq