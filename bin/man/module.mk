# Manual pages; csn.1 is in bin/engine/module.mk.
dist_man_MANS += bin/man/caisson.8
