# The programs.
include bin/guard.mk
include bin/oci/module.mk
include bin/monitor.mk
include bin/image.mk
include bin/volume.mk
include bin/init.mk
include bin/network.mk
include bin/restart.mk
include bin/man/module.mk
