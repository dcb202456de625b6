#!/bin/bash
# containerd's CRI plugin over caisson, asked as a kubelet asks it: pods with a network of their own
# (CNI's bridge) and on the host's, their containers, exec, statistics, updates.
. "$(dirname "$0")/lib.sh"
need containerd ctr
/usr/bin/python3 -c 'import grpc, google.protobuf' 2>/dev/null || t_skip_all "python3-grpcio is not installed"
[ -x /usr/lib/cni/bridge ] || t_skip_all "containernetworking-plugins is not installed"
client_sandbox "$@"
client_groups=(k8s.io pods)

# Limits need controllers; without them containerd is told to ask for none.
limits=
if has_controller memory && has_controller cpu; then limits=1; fi

mkdir -p "$TMPDIR/cni" "$TMPDIR/logs"
cat >"$TMPDIR/cni/10-box.conflist" <<END
{"cniVersion": "0.4.0", "name": "box", "plugins": [
	{"type": "bridge", "bridge": "cni0", "isGateway": true, "ipam": {"type": "host-local",
	 "dataDir": "/run/cni", "ranges": [[{"subnet": "10.85.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
END
cat >"$TMPDIR/containerd.toml" <<END
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "localhost/pause:1"
restrict_oom_score_adj = true
disable_apparmor = true
disable_cgroup = $([ -n "$limits" ] && echo false || echo true)
stream_server_address = "127.0.0.1"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "$TMPDIR/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
default_runtime_name = "box"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.box]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.box.options]
BinaryName = "$CLIENT_RUNTIME"
END
cri() { "$SRC/tests/clients/cri.py" /run/containerd/containerd.sock "$@"; }
field() { json_field "$1" <<<"$output"; }

start_daemon "$TMPDIR/containerd.log" containerd --config "$TMPDIR/containerd.toml"
wait_until 60 cri Version || give_up containerd "$TMPDIR/containerd.log"
t_shows '"type": "RuntimeReady", "status": true' "the runtime is ready" cri Status
t_shows '"type": "NetworkReady", "status": true' "the network is ready" cri Status
make_image "$TMPDIR/image.tar"
"$SRC/contrib/make-image" "$TMPDIR/pause.tar" localhost/pause:1 sleep 100000
for image in image pause; do
	t_exits 0 "the $image is imported" ctr -n k8s.io images import "$TMPDIR/$image.tar"
done

# ---- a pod with a network of its own -------------------------------------------------------------

# pod NAME NETWORK: its config; 0: its own network, 2: the host's, with the host's name.
pod() {
	local hostname=$1
	[ "$2" = 0 ] || hostname=
	echo "{\"metadata\": {\"name\": \"$1\", \"uid\": \"uid-$1\", \"namespace\": \"default\"}, \"hostname\": \"$hostname\",
		\"log_directory\": \"$TMPDIR/logs\", \"linux\": {\"cgroup_parent\": \"/pods\",
		\"security_context\": {\"namespace_options\": {\"network\": $2}}}}"
}
# run_pod NAME NETWORK: sandbox is its id, pod its config.
run_pod() {
	pod=$(pod "$1" "$2")
	t_exits 0 "RunPodSandbox $1" cri RunPodSandbox "{\"config\": $pod}"
	sandbox=$(field pod_sandbox_id)
}
# create NAME COMMAND [REST-OF-CONFIG]: in the pod; container is its id.
create() {
	t_exits 0 "CreateContainer $1" cri CreateContainer "{\"pod_sandbox_id\": \"$sandbox\", \"sandbox_config\": $pod,
		\"config\": {\"metadata\": {\"name\": \"$1\"}, \"image\": {\"image\": \"$IMAGE\"},
		\"command\": [\"sh\", \"-c\", \"$2\"], \"log_path\": \"$1.log\"${3-}}}"
	container=$(field container_id)
}
start() { t_exits 0 "StartContainer" cri StartContainer "{\"container_id\": \"$container\"}"; }
status_of() { cri ContainerStatus "{\"container_id\": \"$container\"}"; }
in_state() { [ "$(status_of | json_field state)" = "$1" ]; }
# exec_says WANT NAME COMMAND: ExecSync of sh -c COMMAND succeeds and prints that.
exec_says() {
	asked cri ExecSync "{\"container_id\": \"$container\", \"cmd\": [\"sh\", \"-c\", \"$3\"], \"timeout\": 20}"
	t_is "$status $(field exit_code) $(field stdout)" "0 0 $1\\n" "$2"
}

run_pod one 0
first=$sandbox
t_shows '"state": 0' "the pod is ready" cri PodSandboxStatus "{\"pod_sandbox_id\": \"$sandbox\"}"
ip=$(field ip)
t_like "$ip" '^10\.85\.0\.[0-9]+$' "it has an address of CNI's"
mkdir "$TMPDIR/vol"
echo outside >"$TMPDIR/vol/file"
create main 'echo out; echo err >&2; trap \"exit 7\" TERM; while :; do sleep 0.1; done' ", \"working_dir\": \"/tmp\",
	\"envs\": [{\"key\": \"X\", \"value\": \"a b\"}], \"mounts\": [{\"container_path\": \"/v\", \"host_path\": \"$TMPDIR/vol\", \"readonly\": true}],
	\"linux\": {\"security_context\": {\"run_as_user\": {\"value\": 1000}, \"no_new_privs\": true, \"readonly_rootfs\": true,
	\"capabilities\": {\"drop_capabilities\": [\"ALL\"]}}, \"resources\": {\"oom_score_adj\": 500$([ -n "$limits" ] &&
	echo ', "memory_limit_in_bytes": 67108864, "cpu_period": 100000, "cpu_quota": 50000')}}"
t_ok "is created" in_state 0
start
t_ok "runs" in_state 1
exec_says "a b /tmp 1000 one" "ExecSync: environment, workdir, user, hostname" 'echo $X $(pwd) $(id -u) $(hostname)'
exec_says "outside no" "a read-only volume in a read-only root" 'echo $(cat /v/file) $(touch /v/x /x 2>/dev/null || echo no)'
exec_says "0000000000000000 1" "no capabilities, no new privileges" 'echo $(grep CapEff: /proc/self/status | cut -f 2) $(grep NoNewPrivs: /proc/self/status | cut -f 2)'
exec_says 1 "the pod's address" "ip addr | grep -c $ip/"
asked cri ExecSync "{\"container_id\": \"$container\", \"cmd\": [\"sh\", \"-c\", \"echo e >&2; exit 9\"]}"
t_is "$(field exit_code) $(field stderr)" '9 e\n' "ExecSync: exit code and standard error"
asked cri ExecSync "{\"container_id\": \"$container\", \"cmd\": [\"nosuch\"]}"
t_is "$status" 1 "ExecSync of a missing program fails"
t_like "$errors" 'executable file not found|no such file' "and says why"
asked cri ExecSync "{\"container_id\": \"$container\", \"cmd\": [\"sleep\", \"100\"], \"timeout\": 1}"
t_like "$status $errors" '^1 .*(DEADLINE_EXCEEDED|timeout)' "ExecSync ends in time"
t_ok "logs of both streams" wait_until 5 grep -q ' stderr F err' "$TMPDIR/logs/main.log"
t_is "$(grep -c ' stdout F out' "$TMPDIR/logs/main.log")" 1 "apart"

# ---- statistics and limits ----------------------------------------------------------------------
if [ -n "$limits" ]; then
	t_shows '"usage_core_nano_seconds": \{"value": "[1-9]' "ContainerStats: processor" cri ContainerStats "{\"container_id\": \"$container\"}"
	t_like "$output" '"working_set_bytes": \{"value": "[1-9]' "and memory"
	exec_says $'67108864 50000 100000' "limits" 'echo $(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max)'
	t_exits 0 "UpdateContainerResources" cri UpdateContainerResources "{\"container_id\": \"$container\", \"linux\": {\"memory_limit_in_bytes\": 83886080,
		\"cpu_period\": 100000, \"cpu_quota\": 25000}}"
	exec_says $'83886080 25000 100000' "changes them" 'echo $(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max)'
	exec_says 500 "oom_score_adj" 'cat /proc/1/oom_score_adj'
	exec_says yes "and leaves the devices alone" 'echo x >/dev/null && echo yes'
else
	t_skip "statistics and limits" "no controllers here"
fi

# ---- its end, and another container in the pod ---------------------------------------------------
t_exits 0 "StopContainer" cri StopContainer "{\"container_id\": \"$container\", \"timeout\": 10}"
t_like "$(status_of)" '"state": 2, "exit_code": 7, "reason": "Error"' "gives its trap's code"
t_exits 0 "RemoveContainer" cri RemoveContainer "{\"container_id\": \"$container\"}"
create pid 'exit 3' ', "linux": {"security_context": {"namespace_options": {"pid": 1}}}'
start
t_ok "ends by itself" wait_until 10 in_state 2
t_like "$(status_of)" '"exit_code": 3' "with its code"
create stubborn 'trap \"\" TERM; while :; do sleep 0.1; done' ', "linux": {"security_context": {"privileged": false}}'
start
t_exits 0 "StopContainer of one that ignores SIGTERM" cri StopContainer "{\"container_id\": \"$container\", \"timeout\": 1}"
t_like "$(status_of)" '"exit_code": 137' "kills it"
create missing 'x' ', "args": []'
t_exits 0 "RemoveContainer of one that never ran" cri RemoveContainer "{\"container_id\": \"$container\"}"

# ---- a pod on the host's network ----------------------------------------------------------------
run_pod two 2
create host 'echo \"lines $(ip -o addr show dev cni0 | grep -c 10.85.0.1/)\"; exec sleep 1000' \
	', "linux": {"security_context": {"namespace_options": {"network": 2}}}'
start
t_ok "sees the host's links" wait_until 5 grep -q 'F lines 1' "$TMPDIR/logs/host.log"
t_exits 0 "StopPodSandbox with a container in it" cri StopPodSandbox "{\"pod_sandbox_id\": \"$sandbox\"}"
t_ok "ends that" in_state 2
t_exits 0 "RemovePodSandbox" cri RemovePodSandbox "{\"pod_sandbox_id\": \"$sandbox\"}"
t_exits 0 "StopPodSandbox of the first" cri StopPodSandbox "{\"pod_sandbox_id\": \"$first\"}"
t_exits 0 "StopPodSandbox once more" cri StopPodSandbox "{\"pod_sandbox_id\": \"$first\"}"
t_exits 0 "RemovePodSandbox" cri RemovePodSandbox "{\"pod_sandbox_id\": \"$first\"}"
t_is "$(cri ListPodSandbox; cri ListContainers)" $'{"items": []}\n{"containers": []}' "nothing is left in its lists"
t_is "$(ls "${CLIENT_STATE:-/run/containerd/runc/k8s.io}" 2>/dev/null)" "" "nor of the runtime's state"
