# The programs.
include bin/caisson/module.mk
include bin/monitor.mk
include bin/image.mk
include bin/man/module.mk
