# lib/monitor
