EXTRA_DIST += contrib/check contrib/make-image contrib/packages contrib/quickstart

include contrib/rust/module.mk
