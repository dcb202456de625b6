# bin/engine
