# bin/csn
