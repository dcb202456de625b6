#!/bin/bash
# dockerd, with the containerd and the shim that it starts, over caisson; then a swarm of one.
. "$(dirname "$0")/lib.sh"
need dockerd containerd iptables
[ -x /usr/bin/docker ] || t_skip_all "docker is not installed"
client_sandbox "$@"
client_groups=(docker)

RUNTIME_NAME=tested-$RUNTIME_NAME # "runc" itself is taken
export DOCKER_HOST=unix:///run/docker.sock DOCKER_CONFIG=$TMPDIR/docker-config
d() { /usr/bin/docker "$@"; }
# Without a network of its own each container costs two thirds.
run() { d run --rm --network none "$@"; }

start_docker() {
	# Lowering an oom score takes CAP_SYS_RESOURCE, which not every machine gives.
	start_daemon "$TMPDIR/dockerd.log" dockerd --host $DOCKER_HOST --data-root /var/lib/docker \
		--exec-root /run/docker --pidfile /run/docker.pid --oom-score-adjust 0 \
		--storage-driver overlay2 --exec-opt native.cgroupdriver=cgroupfs \
		--add-runtime "$RUNTIME_NAME=$CLIENT_RUNTIME" --default-runtime "$RUNTIME_NAME"
	wait_until 30 /usr/bin/docker version
}
start_docker || give_up dockerd "$TMPDIR/dockerd.log"

make_rootfs_tar "$TMPDIR/root.tar"
t_exits 0 "docker import" d import "$TMPDIR/root.tar" $IMAGE
t_says "$RUNTIME_NAME" "docker info names the runtime" d info --format '{{.DefaultRuntime}}'

# ---- run: output, status, environment -----------------------------------------------------------
t_says hello "run" run $IMAGE echo hello
t_exits 42 "an exit code" run $IMAGE sh -c 'exit 42'
t_exits 137 "a program that SIGKILL ends is 137" run $IMAGE sh -c 'sh -c "kill -9 \$\$"; exit $?'
t_exits 127 "a missing program is 127" run $IMAGE /nosuch
t_exits 127 "a missing program of PATH is 127" run $IMAGE nosuch
t_exits 126 "what may not be run is 126" run $IMAGE /etc/passwd
t_exits 126 "a directory is 126" run $IMAGE /tmp
t_says "a b" "environment" run -e X='a b' $IMAGE sh -c 'echo "$X"'
t_says /tmp "workdir" run -w /tmp $IMAGE pwd
t_says 1000:1000 "user" run -u 1000:1000 $IMAGE sh -c 'echo $(id -u):$(id -g)'
t_says 1000 "user by name" run -u user $IMAGE id -u
t_says "0 7 9" "groups" run --group-add 7 --group-add 9 $IMAGE id -G
t_says box7 "hostname" run --hostname box7 $IMAGE hostname
t_says 1 "its first process is 1" run $IMAGE sh -c 'echo $$'

# ---- terminal and standard input ----------------------------------------------------------------
t_shows '/dev/pts/0|/dev/console' "run -t has a terminal" with_tty /usr/bin/docker run --rm --network none -t $IMAGE tty
t_says typed "run -i reads standard input" sh -c "echo typed | /usr/bin/docker run --rm --network none -i $IMAGE cat"
t_shows '31 97' "the terminal has the caller's size" script -qec \
	"stty rows 31 cols 97; /usr/bin/docker run --rm --network none -t $IMAGE sh -c 'sleep 0.5; stty size'" /dev/null

# ---- file systems -------------------------------------------------------------------------------
mkdir "$TMPDIR/vol"
echo outside >"$TMPDIR/vol/file"
t_says outside "a volume is read" run -v "$TMPDIR/vol:/v" $IMAGE cat /v/file
t_exits 0 "a volume is written" run -v "$TMPDIR/vol:/v" $IMAGE sh -c 'echo inside >/v/new'
t_is "$(cat "$TMPDIR/vol/new")" inside "and the host sees it"
t_exits 1 "a read-only volume" run -v "$TMPDIR/vol:/v:ro" $IMAGE touch /v/x
t_says data "a named volume" sh -c "/usr/bin/docker run --rm --network none -v vol1:/v $IMAGE sh -c 'echo data >/v/f' &&
	/usr/bin/docker run --rm --network none -v vol1:/v $IMAGE cat /v/f"
t_shows 'tmpfs /t tmpfs .*size=1024k' "a tmpfs with a size" run --tmpfs /t:size=1m $IMAGE grep ' /t ' /proc/mounts
t_exits 1 "a read-only root" run --read-only $IMAGE touch /x
t_exits 0 "shm size" run --shm-size 2m $IMAGE sh -c 'grep " /dev/shm .*size=2048k" /proc/mounts'

# ---- security -----------------------------------------------------------------------------------
t_says 0000000000000000 "all capabilities dropped" run --cap-drop all $IMAGE awk '/^CapEff/ { print $2 }' /proc/self/status
t_says 0000000000001000 "one capability" run --cap-drop all --cap-add net_admin $IMAGE awk '/^CapEff/ { print $2 }' /proc/self/status
t_says 2 "a seccomp filter" run $IMAGE awk '/^Seccomp:/ { print $2 }' /proc/self/status
t_says 0 "no seccomp filter" run --security-opt seccomp=unconfined $IMAGE awk '/^Seccomp:/ { print $2 }' /proc/self/status
cat >"$TMPDIR/deny.json" <<END
{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}
END
t_exits 1 "the filter bites" run --security-opt seccomp="$TMPDIR/deny.json" $IMAGE mkdir /tmp/d
t_says 1 "no-new-privileges" run --security-opt no-new-privileges $IMAGE awk '/^NoNewPrivs/ { print $2 }' /proc/self/status
t_exits 0 "privileged" run --privileged $IMAGE sh -c 'mkdir -p /mnt && mount -t tmpfs x /mnt'
t_exits 1 "/proc/sys is read-only" run $IMAGE sh -c 'echo 1 >/proc/sys/kernel/panic'
t_says 7 "sysctl" run --sysctl net.ipv4.ip_default_ttl=7 $IMAGE cat /proc/sys/net/ipv4/ip_default_ttl
t_says 64:128 "ulimit" run --ulimit nofile=64:128 $IMAGE sh -c 'echo $(ulimit -Sn):$(ulimit -Hn)'
t_exits 0 "a device" run --device /dev/full:/dev/mine $IMAGE sh -c '[ -c /dev/mine ] && ! echo x >/dev/mine'
t_exits 0 "pid of the host" run --pid host $IMAGE sh -c '[ $$ != 1 ]'
t_exits 0 "ipc and uts of the host" run --ipc host --uts host $IMAGE true
t_exits 0 "network of the host" d run --rm --network host $IMAGE grep -q docker0: /proc/net/dev
t_says init "an init process" run --init $IMAGE sh -c 'grep -q init /proc/1/cmdline && echo init'

# ---- life ---------------------------------------------------------------------------------------
t_exits 0 "run --detach" d run -d --name live --network none $IMAGE sh -c 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done'
t_soon up "logs" d logs live
t_says running "inspect: running" d inspect -f '{{.State.Status}}' live
t_says in "exec" d exec live echo in
t_exits 5 "exec passes the code" d exec live sh -c 'exit 5'
t_exits 126 "exec of a missing program" d exec live nosuch
t_says "v 1000 /tmp" "exec: env, user, workdir" d exec -e V=v -u 1000 -w /tmp live sh -c 'echo $V $(id -u) $(pwd)'
t_shows '/dev/pts/' "exec -t" with_tty /usr/bin/docker exec -t live tty
t_says piped "exec -i" sh -c 'echo piped | /usr/bin/docker exec -i live cat'
t_exits 0 "exec -d" d exec -d live touch /tmp/detached
t_ok "happened" wait_until 5 /usr/bin/docker exec live test -e /tmp/detached
t_exits 0 "exec --privileged" d exec --privileged live true
t_shows 'PID.*CMD.*sh' "top" d top live
t_shows 'COMMAND.*' "top with ps options" d top live -o pid,comm
t_shows 'live ' "stats" d stats --no-stream --format '{{.Name}} {{.CPUPerc}}' live
t_exits 0 "pause" d pause live
t_says paused "inspect: paused" d inspect -f '{{.State.Status}}' live
t_exits 0 "unpause" d unpause live
t_exits 0 "kill with a signal that it ignores" d kill -s WINCH live
t_exits 0 "stop" d stop -t 5 live
t_says 3 "the code of its trap" d inspect -f '{{.State.ExitCode}}' live
t_soon bye "its last words" d logs live
t_exits 0 "start again" d start live
t_soon running "inspect: running again" d inspect -f '{{.State.Status}}' live
t_exits 0 "restart" d restart -t 1 live
t_exits 0 "kill" d kill live
t_says 137 "wait" d wait live
t_exits 0 "rm" d rm live
t_exits 0 "create" d create --name once --network none $IMAGE echo later
t_says later "start -a" d start -a once
t_exits 0 "rm -f" d rm -f once
t_exits 0 "run one to be removed" d run -d --name doomed --network none $IMAGE sleep 100
t_exits 0 "update" d update --restart no doomed
t_exits 0 "rm -f running" d rm -f doomed

# ---- restart policy, health, network ------------------------------------------------------------
t_exits 0 "a restart policy" d run -d --name again --restart on-failure:2 --network none $IMAGE sh -c 'echo x; exit 1'
t_soon '^x[^x]*x[^x]*x$' "runs it three times" d logs again
d rm -f again >/dev/null
t_exits 0 "a health check" d run -d --name checked --health-cmd 'test -e /tmp/ok' --health-interval 1s --network none $IMAGE sh -c 'touch /tmp/ok; sleep 100'
t_soon '^healthy$' "turns healthy" d inspect -f '{{.State.Health.Status}}' checked
d rm -f checked >/dev/null
t_exits 0 "a published port" d run -d --name web -p 127.0.0.1:8080:80 $IMAGE \
	sh -c 'mkdir /www; echo served >/www/index.html; exec httpd -f -p 80 -h /www'
t_soon served "answers" busybox wget -qO- http://127.0.0.1:8080/
d rm -f web >/dev/null
t_exits 0 "two in a network of their own" d network create n1
d run -d --name peer --network n1 $IMAGE sh -c 'mkdir /www; echo neighbour >/www/index.html; exec httpd -f -p 80 -h /www' >/dev/null
address=$(d inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' peer)
t_says neighbour "reach each other" d run --rm --network n1 $IMAGE wget -qO- "http://$address/"
d rm -f peer >/dev/null
d network rm n1 >/dev/null
printf 'FROM %s\nRUN echo built >/file\nRUN [ "$(cat /file)" = built ] && echo twice >>/file\nCMD cat /file\n' $IMAGE >"$TMPDIR/Dockerfile"
t_exits 0 "build" sh -c "DOCKER_BUILDKIT=0 /usr/bin/docker build --network none -q -t localhost/built:1 - <'$TMPDIR/Dockerfile'"
t_says $'built\ntwice' "what was built runs" run localhost/built:1

# ---- a daemon that comes back -------------------------------------------------------------------
t_is "$(d ps -aq)" "" "nothing is left in docker's list"

# ---- swarm --------------------------------------------------------------------------------------
replicas() { d service ls --format '{{.Replicas}}'; }
t_exits 0 "swarm init" d swarm init --advertise-addr 127.0.0.1
t_exits 0 "a service of five" d service create --detach --name s --replicas 5 --endpoint-mode dnsrr \
	--restart-delay 1s --stop-grace-period 1s $IMAGE sh -c 'trap "exit 0" TERM; while :; do sleep 0.2; done'
t_soon '^5/5$' "converges" replicas
victim=$(d ps -q | head -n 1)
d kill "$victim" >/dev/null
t_ok "one that dies is replaced" wait_until 30 sh -c \
	"[ \"\$(/usr/bin/docker ps -q | wc -l)\" = 5 ] && ! /usr/bin/docker ps -q | grep -q $victim"
t_exits 0 "scale" d service scale --detach s=2
t_soon '^2/2$' "down to two" replicas
t_exits 0 "service rm" d service rm s
t_ok "all are gone" wait_until 30 sh -c '[ -z "$(/usr/bin/docker ps -q)" ]'
t_exits 0 "swarm leave" d swarm leave --force
