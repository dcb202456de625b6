# bin/image.mk
