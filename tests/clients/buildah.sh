#!/bin/bash
# buildah builds images whose RUN steps are containers of caisson.
. "$(dirname "$0")/lib.sh"
need buildah
client_sandbox "$@"
client_groups=(buildah)

mkdir -p "$TMPDIR/etc" "$TMPDIR/context"
cat >"$TMPDIR/etc/containers.conf" <<END
[containers]
pids_limit = 0
[engine]
cgroup_manager = "cgroupfs"
END
cat >"$TMPDIR/etc/storage.conf" <<END
[storage]
driver = "overlay"
runroot = "/run/containers/storage"
graphroot = "/var/lib/containers/storage"
END
export CONTAINERS_CONF=$TMPDIR/etc/containers.conf CONTAINERS_STORAGE_CONF=$TMPDIR/etc/storage.conf
# No network: there is none to build with, and the host's must not be used by accident.
build() { buildah build --runtime "$CLIENT_RUNTIME" --network none --isolation oci "$@"; }
run() { buildah run --runtime "$CLIENT_RUNTIME" --network none --isolation oci "$@"; }

make_image "$TMPDIR/image.tar"
t_ok "buildah pull" buildah pull -q "oci-archive:$TMPDIR/image.tar"
buildah tag "$(buildah images -q | head -n 1)" $IMAGE

echo data >"$TMPDIR/context/file"
cat >"$TMPDIR/context/Containerfile" <<END
FROM $IMAGE
ARG GREETING=hello
ENV WHO=world
WORKDIR /app
COPY file /app/file
RUN echo "\$GREETING \$WHO" >greeting && test -e file
RUN ["sh", "-c", "id -u >uid; hostname >name"]
RUN mkdir -m 700 /private && echo other:x:1234:1234::/:/bin/sh >>/etc/passwd
USER 1234
RUN id -u >/tmp/who && ! ls /private
USER 0
CMD ["cat", "/app/greeting"]
END
t_exits 0 "build with RUN steps" build -q -t localhost/built:1 --build-arg GREETING=hi "$TMPDIR/context"
container=$(buildah from localhost/built:1)
t_says "hi world" "what a step wrote is in the image" run "$container" cat /app/greeting
t_says 1234 "also as another user" run "$container" cat /tmp/who
printf 'FROM %s\nRUN exit 7\n' $IMAGE >"$TMPDIR/context/failing"
t_exits 7 "a step that fails ends the build with its code" build -q -f "$TMPDIR/context/failing" "$TMPDIR/context"
printf 'FROM %s\nRUN ["/nosuch"]\n' $IMAGE >"$TMPDIR/context/missing"
asked build -q -f "$TMPDIR/context/missing" "$TMPDIR/context"
t_like "$status:$errors" '^[1-9].*no such file or directory' "a step without its program says so"
printf 'FROM %s AS one\nRUN echo staged >/staged\nFROM %s\nCOPY --from=one /staged /got\nRUN cat /got\n' $IMAGE $IMAGE \
	>"$TMPDIR/context/stages"
t_shows staged "two stages" build -f "$TMPDIR/context/stages" "$TMPDIR/context"

t_exits 5 "buildah run passes the code" run "$container" sh -c 'exit 5'
t_says typed "and standard input" sh -c \
	"echo typed | buildah run --runtime $CLIENT_RUNTIME --network none --isolation oci $container cat"
t_says 1000:1000 "user" run --user 1000:1000 "$container" sh -c 'echo $(id -u):$(id -g)'
t_says /tmp "workdir" run --workingdir /tmp "$container" pwd
t_says "a b" "environment" run --env X='a b' "$container" sh -c 'echo "$X"'
t_says 0000000000000000 "capabilities" run --cap-drop all "$container" awk '/^CapEff/ { print $2 }' /proc/self/status
t_says data "a volume" run -v "$TMPDIR/context:/v:ro" "$container" cat /v/file
t_shows '/dev/pts/0|/dev/console' "a terminal" script -qec \
	"buildah run --runtime $CLIENT_RUNTIME --network none --isolation oci -t $container tty" /dev/null
t_exits 0 "rm" buildah rm "$container"
container=$(buildah from $IMAGE)
t_exits 0 "step by step" run "$container" sh -c 'echo by hand >/made'
t_exits 0 "commit" buildah commit -q "$container" localhost/committed:1
t_exits 0 "rm" buildah rm "$container"
container=$(buildah from localhost/committed:1)
t_says "by hand" "what was committed runs" run "$container" cat /made
