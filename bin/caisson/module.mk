# bin/caisson/module.mk
