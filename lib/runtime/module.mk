# lib/runtime
