EXTRA_DIST += contrib/check contrib/make-image contrib/packages contrib/quickstart
EXTRA_DIST += contrib/examples/deployment.yaml

include contrib/rust/module.mk
