# bin/man/module.mk
