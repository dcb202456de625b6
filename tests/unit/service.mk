# unit tests of service
