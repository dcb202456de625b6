# bin/monitor.mk
