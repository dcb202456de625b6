#!/bin/bash
# features.md and features-linux.md: what the document says is what config.json may hold (M-119 to
# M-126).
. "$(dirname "$0")/lib.sh"

make_bundle "$b"
document=$("$CAISSON" features)
flat=$(tr -d ' \t\n' <<<"$document")
# The words of an array by its name; nested objects of the document hold each name once.
words() { sed "s/.*\"$1\":\[\([^]]*\)\].*/\1/; s/\"//g; y/,/ /" <<<"$flat"; }
min=$(json_field ociVersionMin <<<"$document") max=$(json_field ociVersionMax <<<"$document")

t_like "$min $max" '^1\.[0-9]+\.[0-9]+ 1\.[0-9]+\.[0-9]+$' "M-119 the oldest and the newest version are told"
t_is "$(printf '%s\n' "$min" "$max" | sort -V | tail -n 1)" "$max" "M-119 the newest is not older than the oldest"
for version in "$min" "$max"; do
	make_bundle "$b"
	sed -i "1s/\"1.2.0\"/\"$version\"/" "$b/config.json"
	run_container "$b"
	t_is "$status:$errors" "0:" "M-120 ociVersion $version is accepted"
done
make_bundle "$b"
sed -i '1s/"1.2.0"/"1.99.0"/' "$b/config.json"
fails "M-121 what is newer is refused" "config.json: ociVersion: \"1.99.0\" is not supported: expected $min to ${max%.*}.x" \
	"$CAISSON" create -b "$b" newer
known=' ociVersionMin ociVersionMax hooks mountOptions annotations potentiallyUnsafeConfigAnnotations linux
	namespaces capabilities cgroup v1 v2 systemd systemdUser rdma seccomp enabled actions operators archs knownFlags
	supportedFlags apparmor selinux intelRdt schemata monitoring memoryPolicy modes flags mountExtensions idmap netDevices '
rest=$(sed 's/"annotations":{[^}]*}//' <<<"$flat" | grep -o '"[A-Za-z0-9]*":' | tr -d '":' | sort -u |
	while read -r name; do [[ $known =~ [[:space:]]$name[[:space:]] ]] || echo "$name"; done)
t_is "$rest" "" "M-121 the document has the members of version $max and no others"

# ---- what is listed is accepted -----------------------------------------------------------------
for hook in $(words hooks); do
	printf '#!/bin/sh\nexit 0\n' >"$b/rootfs/bin/hook"
	chmod 755 "$b/rootfs/bin/hook"
	path=/bin/true
	[ "$hook" != startContainer ] || path=/bin/hook
	accepted "M-122 hook $hook" hooks="{\"$hook\": [{\"path\": \"$path\"}]}"
done
t_is "$(words hooks | wc -w)" 6 "M-122 six kinds of hooks"
mkdir -p "$TMPDIR/src"
for option in $(words mountOptions); do
	case $option in
	tmpcopyup) mount='"type": "tmpfs", "source": "x", "options": ["tmpcopyup"]' ;;
	idmap | ridmap) mount="\"type\": \"bind\", \"source\": \"$TMPDIR/src\", \"options\": [\"rbind\", \"$option\"],
		\"uidMappings\": [{\"containerID\": 0, \"hostID\": 7, \"size\": 1}],
		\"gidMappings\": [{\"containerID\": 0, \"hostID\": 7, \"size\": 1}]" ;;
	*) mount="\"type\": \"bind\", \"source\": \"$TMPDIR/src\", \"options\": [\"bind\", \"$option\"]" ;;
	esac
	accepted "M-122 mount option $option" more_mounts="{\"destination\": \"/mnt\", $mount}"
done
t_is "$(words mountOptions | tr ' ' '\n' | grep -c =)" 0 "M-122 no data options of file systems are listed"
maps='"uidMappings": [{"containerID": 0, "hostID": 0, "size": 65536}],
	"gidMappings": [{"containerID": 0, "hostID": 0, "size": 65536}]'
for type in $(words namespaces); do
	case $type in
	user) accepted "M-122 namespace $type" namespaces="$default_namespaces, {\"type\": \"user\"}" linux="$maps" ;;
	mount | uts) accepted "M-122 namespace $type" namespaces='{"type": "mount"}, {"type": "uts"}' ;;
	*) accepted "M-122 namespace $type" namespaces="{\"type\": \"mount\"}, {\"type\": \"uts\"}, {\"type\": \"$type\"}" ;;
	esac
done
own=$(sed -n 's/^CapPrm:[ \t]*//p' /proc/self/status)
number=0
for cap in $(words capabilities); do
	# One that the runtime itself lacks cannot be given to anybody: that is an error of its own.
	make_bundle "$b" caps="{\"bounding\": [\"$cap\"]}"
	run_container "$b"
	if [ $((0x$own >> number & 1)) = 1 ]; then
		t_is "$status:$errors" "0:" "M-122 capability $cap"
	else
		t_like "$errors" "\"$cap\\\\\" cannot be given" "M-122 capability $cap is known, though not to be had here"
	fi
	number=$((number + 1))
done

# ---- seccomp, memory policy ---------------------------------------------------------------------
seccomp() { printf '"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", %s}' "$1"; }
for action in $(words actions); do
	[ "$action" != SCMP_ACT_NOTIFY ] || continue # tested with a listener: M-114
	accepted "M-123 action $action" linux="$(seccomp "\"syscalls\": [{\"names\": [\"acct\"], \"action\": \"$action\"}]")"
done
for op in $(words operators); do
	accepted "M-123 operator $op" linux="$(seccomp "\"syscalls\": [{\"names\": [\"acct\"], \"action\": \"SCMP_ACT_ERRNO\",
		\"args\": [{\"index\": 0, \"value\": 255, \"valueTwo\": 7, \"op\": \"$op\"}]}]")"
done
for arch in $(words archs); do
	accepted "M-123 architecture $arch" linux="$(seccomp "\"architectures\": [\"$arch\"], \"syscalls\": [
		{\"names\": [\"acct\"], \"action\": \"SCMP_ACT_ERRNO\"}]")"
done
for flag in $(words knownFlags); do
	accepted "M-123 flag $flag" linux="$(seccomp "\"flags\": [\"$flag\"], \"syscalls\": [
		{\"names\": [\"acct\"], \"action\": \"SCMP_ACT_ERRNO\"}]")"
done
t_is "$(words supportedFlags | tr ' ' '\n' | grep -vxF "$(words knownFlags | tr ' ' '\n')")" "" "M-123 supported flags are known ones"
policy() { # NAME JSON: recognised, whether or not this kernel can do it
	make_bundle "$b" linux="\"memoryPolicy\": $2"
	run_container "$b"
	if [ "$status" = 0 ]; then
		t_pass "$1"
	else
		t_like "$(error_text "$errors")" '^scheduling and memory policy: linux.memoryPolicy: (Invalid argument|Function not implemented)$' \
			"$1 is recognised (this kernel refuses it)"
	fi
}
for mode in $(words modes); do
	case $mode in
	MPOL_DEFAULT | MPOL_LOCAL) policy "M-124 mode $mode" "{\"mode\": \"$mode\"}" ;;
	*) policy "M-124 mode $mode" "{\"mode\": \"$mode\", \"nodes\": \"0\"}" ;;
	esac
done
for flag in $(sed 's/.*"memoryPolicy":{//; s/.*"flags":\[\([^]]*\)\].*/\1/; s/"//g; y/,/ /' <<<"$flat"); do
	policy "M-124 flag $flag" "{\"mode\": \"MPOL_BIND\", \"nodes\": \"0\", \"flags\": [\"$flag\"]}"
done

# ---- the rest -----------------------------------------------------------------------------------
annotations=$(sed 's/.*"annotations":{\([^}]*\)}.*/\1/' <<<"$flat")
t_is "$(sed 's/"[^"][^"]*":"[^"]*"//g; s/,//g' <<<"$annotations")" "" "M-125 annotations are strings with keys"
t_like "$flat" '"mountExtensions":\{"idmap":\{"enabled":true\}\}' "M-126 idmap is enabled"
for part in apparmor selinux netDevices; do
	t_like "$flat" "\"$part\":\{\"enabled\":(true|false)\}" "M-119 linux.$part"
done
rm -rf /run/caisson/.cache
