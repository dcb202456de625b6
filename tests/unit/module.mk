# Unit tests: one program per area, each with its own main (Check).
include tests/unit/base.mk
include tests/unit/spec.mk
include tests/unit/cgroups.mk
include tests/unit/netns.mk
include tests/unit/state.mk
include tests/unit/volume.mk
include tests/unit/host.mk
include tests/unit/init.mk
include tests/unit/image.mk
include tests/unit/monitor.mk
include tests/unit/runtime.mk
include tests/unit/service.mk
include tests/unit/cli.mk
