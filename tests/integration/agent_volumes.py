#!/usr/bin/env python3
"""agent_volumes.py LIBRARY ROOT RUN_ROOT STEP...: the Runtime interface through its C ABI, for what
no command of csn does. The service is on standard input (JSON). STEP: create, start, wait, sync,
remove. Prints an error's text, and then exits with 1."""
import ctypes, sys

lib = ctypes.CDLL(sys.argv[1])


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("kind", ctypes.c_int), ("at", ctypes.c_ushort * 3), ("text", ctypes.c_char * 498)]


class Config(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("root", ctypes.c_char_p), ("run_root", ctypes.c_char_p)]


class Id(ctypes.Structure):
    _fields_ = [("service", ctypes.c_char * 64), ("role", ctypes.c_char * 32), ("replica", ctypes.c_uint32), ("node", ctypes.c_uint64)]


err = Error()


def call(fn, *args):
    if getattr(lib, fn)(*args, ctypes.byref(err)) < 0:
        print(err.text.decode())
        sys.exit(1)


rt, service, code = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_int()
config = Config(ctypes.sizeof(Config), sys.argv[2].encode(), sys.argv[3].encode())
text = sys.stdin.read().encode()
me = Id(b"store", b"default", 1, 0)
call("csn_rt_open_native", ctypes.byref(config), ctypes.byref(rt))
call("csn_service_parse", text, ctypes.c_size_t(len(text)), 0, None, ctypes.byref(service))
steps = {
    "create": lambda: call("csn_rt_create_container", rt, ctypes.byref(me), service),
    "start": lambda: call("csn_rt_start_container", rt, ctypes.byref(me)),
    "wait": lambda: call("csn_rt_wait_container", rt, ctypes.byref(me), 60000, ctypes.byref(code)),
    "sync": lambda: call("csn_rt_sync_container_volumes", rt, ctypes.byref(me)),
    "remove": lambda: call("csn_rt_remove_container", rt, ctypes.byref(me)),
}
for step in sys.argv[4:]:
    steps[step]()
lib.csn_service_free(service)
lib.csn_rt_close(rt)
