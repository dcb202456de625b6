# unit tests of spec
