#!/bin/bash
# Volumes of the engine: named ones outlive containers, a container's own goes with it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"

t_is "$(csn volume create data)" data "a volume is made"
t_ok "and again" csn volume create data
t_is "$(csn run --rm --network none -v data:/d box sh -c 'echo kept >/d/file; ls /d')" file \
	"a container writes to it"
t_is "$(csn run --rm --network none -v data:/d:ro box sh -c 'cat /d/file; touch /d/x 2>&1')" \
	$'kept\ntouch: /d/x: Read-only file system' "another reads it, and no more"
t_is "$(csn run --rm --network none -v fresh:/f box sh -c 'ls /f; stat -c %a /f')" 755 \
	"one that is named comes to be"
t_is "$(csn volume ls -q | tr '\n' ' ')" "data fresh " "both are listed"

csn create --name user --network none -v data:/d box true >/dev/null
id=$(csn inspect user | json_field id)
t_fails_with "volume \"data\" is used by container ${id:0:12}" csn volume rm data
t_like "$(csn volume ls --format json | tr -d ' \n')" "\"name\":\"data\",\"path\":\"[^\"]*/volumes/data\",\"used_by\":\"$id\"" \
	"by whom is told"
t_ok "the container goes" csn rm user
t_ok "then it can be removed" csn volume rm data fresh
t_is "$(csn volume ls -q)" "" "and is gone"
t_fails_with 'volume "data" does not exist' csn volume rm data

# ---- a container's own ------------------------------------------------------------------------------
csn create --name own --network none -v /own box sh -c 'ls /own; touch /own/file' >/dev/null
t_is "$(csn start -a own)" "" "an empty directory"
t_is "$(csn start -a own)" file "which the next start finds as it was"
bundle=$(csn_bundle own)
t_ok "it is the container's" [ -e "$bundle/volumes/0/file" ]
t_ok "and goes with it" csn rm own
t_ok "all of it" [ ! -e "$bundle" ]

# ---- bad names ----------------------------------------------------------------------------------------
long=$(printf 'a%.0s' {1..129})
for name in .hidden 'a b' "$long"; do
	t_fails_with "volume \"$name\": expected 1 to 128 of [a-zA-Z0-9_.-], first a letter or digit" \
		csn volume create "$name"
done
t_fails_with "volume \"../x\": expected 1 to 128 of [a-zA-Z0-9_.-], first a letter or digit" \
	csn volume rm ../x
t_fails_with 'mount source "a b": expected an absolute path, or the name of a volume' \
	csn run --network none -v 'a b:/x' box true
t_fails_with 'mount target "x": expected an absolute path' csn run --network none -v data:x box true
t_fails_with '--volume "data:": expected [SRC:]DST[:ro]' csn run -v data: box true
t_is "$(csn volume ls -q)" "" "none of that made a volume"
