#!/bin/bash
# Sections of the podman ring under real cgroup v2, where limits can be set and seen.
export PODMAN_SECTIONS="life limits"
. "$(dirname "$0")/../clients/podman.sh"
