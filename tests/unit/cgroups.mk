# unit tests of cgroups
