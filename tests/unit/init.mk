# unit tests of init
