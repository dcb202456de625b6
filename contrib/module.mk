EXTRA_DIST += contrib/check contrib/make-image contrib/packages contrib/quickstart
