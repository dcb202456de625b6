#!/usr/bin/python3
"""One call of the Container Runtime Interface (runtime.v1), as a kubelet makes it.

    cri.py SOCKET METHOD [JSON]        prints the answer as JSON; fails with the error's text

Only the messages and fields that the tests use are described here; protobuf passes over others.
"""
import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

# Message: number name type, ...; a type of the list below or another message; * repeated.
MESSAGES = """
VersionRequest: 1 version string
VersionResponse: 2 runtime_name string, 4 runtime_api_version string
StatusRequest: 1 verbose bool
StatusResponse: 1 status RuntimeStatus
RuntimeStatus: 1 conditions *RuntimeCondition
RuntimeCondition: 1 type string, 2 status bool, 3 reason string, 4 message string
PodSandboxMetadata: 1 name string, 2 uid string, 3 namespace string, 4 attempt uint32
NamespaceOption: 1 network int32, 2 pid int32, 3 ipc int32, 4 target_id string
LinuxSandboxSecurityContext: 1 namespace_options NamespaceOption, 6 privileged bool
LinuxPodSandboxConfig: 1 cgroup_parent string, 2 security_context LinuxSandboxSecurityContext, 3 sysctls map
PodSandboxConfig: 1 metadata PodSandboxMetadata, 2 hostname string, 3 log_directory string, 6 labels map, 8 linux LinuxPodSandboxConfig
RunPodSandboxRequest: 1 config PodSandboxConfig, 2 runtime_handler string
RunPodSandboxResponse: 1 pod_sandbox_id string
PodSandboxStatusRequest: 1 pod_sandbox_id string
PodSandboxNetworkStatus: 1 ip string
PodSandboxStatus: 1 id string, 3 state int32, 5 network PodSandboxNetworkStatus
PodSandboxStatusResponse: 1 status PodSandboxStatus
StopPodSandboxRequest: 1 pod_sandbox_id string
StopPodSandboxResponse:
RemovePodSandboxRequest: 1 pod_sandbox_id string
RemovePodSandboxResponse:
ListPodSandboxRequest:
PodSandbox: 1 id string
ListPodSandboxResponse: 1 items *PodSandbox
ContainerMetadata: 1 name string, 2 attempt uint32
ImageSpec: 1 image string
KeyValue: 1 key string, 2 value string
Mount: 1 container_path string, 2 host_path string, 3 readonly bool
LinuxContainerResources: 1 cpu_period int64, 2 cpu_quota int64, 3 cpu_shares int64, 4 memory_limit_in_bytes int64, 5 oom_score_adj int64
Int64Value: 1 value int64
Capability: 1 add_capabilities *string, 2 drop_capabilities *string
LinuxContainerSecurityContext: 1 capabilities Capability, 2 privileged bool, 3 namespace_options NamespaceOption, 5 run_as_user Int64Value, 7 readonly_rootfs bool, 11 no_new_privs bool
LinuxContainerConfig: 1 resources LinuxContainerResources, 2 security_context LinuxContainerSecurityContext
ContainerConfig: 1 metadata ContainerMetadata, 2 image ImageSpec, 3 command *string, 4 args *string, 5 working_dir string, 6 envs *KeyValue, 7 mounts *Mount, 9 labels map, 11 log_path string, 14 tty bool, 15 linux LinuxContainerConfig
CreateContainerRequest: 1 pod_sandbox_id string, 2 config ContainerConfig, 3 sandbox_config PodSandboxConfig
CreateContainerResponse: 1 container_id string
StartContainerRequest: 1 container_id string
StartContainerResponse:
StopContainerRequest: 1 container_id string, 2 timeout int64
StopContainerResponse:
RemoveContainerRequest: 1 container_id string
RemoveContainerResponse:
ContainerStatusRequest: 1 container_id string
ContainerStatus: 1 id string, 3 state int32, 7 exit_code int32, 10 reason string
ContainerStatusResponse: 1 status ContainerStatus
ListContainersRequest:
Container: 1 id string, 6 state int32
ListContainersResponse: 1 containers *Container
ExecSyncRequest: 1 container_id string, 2 cmd *string, 3 timeout int64
ExecSyncResponse: 1 stdout bytes, 2 stderr bytes, 3 exit_code int32
UpdateContainerResourcesRequest: 1 container_id string, 2 linux LinuxContainerResources
UpdateContainerResourcesResponse:
UInt64Value: 1 value uint64
CpuUsage: 1 timestamp int64, 2 usage_core_nano_seconds UInt64Value
MemoryUsage: 1 timestamp int64, 2 working_set_bytes UInt64Value
ContainerStats: 2 cpu CpuUsage, 3 memory MemoryUsage
ContainerStatsRequest: 1 container_id string
ContainerStatsResponse: 1 stats ContainerStats
"""

Field = descriptor_pb2.FieldDescriptorProto
SCALARS = {name: getattr(Field, "TYPE_" + name.upper())
           for name in ("string", "bytes", "bool", "int32", "int64", "uint32", "uint64")}


def add_field(message, number, name, kind):
    field = message.field.add(name=name, number=int(number), label=Field.LABEL_OPTIONAL)
    if kind[0] == "*" or kind == "map":
        field.label = Field.LABEL_REPEATED
        kind = kind.lstrip("*")
    if kind == "map":
        entry = message.nested_type.add(name="".join(w.capitalize() for w in name.split("_")) + "Entry")
        entry.options.map_entry = True
        add_field(entry, 1, "key", "string")
        add_field(entry, 2, "value", "string")
        field.type = Field.TYPE_MESSAGE
        field.type_name = ".runtime.v1.%s.%s" % (message.name, entry.name)
    elif kind in SCALARS:
        field.type = SCALARS[kind]
    else:
        field.type = Field.TYPE_MESSAGE
        field.type_name = ".runtime.v1." + kind


def messages():
    described = descriptor_pb2.FileDescriptorProto(name="cri.proto", package="runtime.v1", syntax="proto3")
    for line in MESSAGES.strip().splitlines():
        name, fields = line.split(":", 1)
        message = described.message_type.add(name=name)
        for field in filter(None, (f.strip() for f in fields.split(","))):
            add_field(message, *field.split())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(described)
    factory = message_factory.MessageFactory(pool)
    return lambda name: factory.GetPrototype(pool.FindMessageTypeByName("runtime.v1." + name))


def main():
    socket, method = sys.argv[1:3]
    of_name = messages()
    request = json_format.Parse(sys.argv[3] if len(sys.argv) > 3 else "{}", of_name(method + "Request")())
    with grpc.insecure_channel("unix://" + socket) as channel:
        call = channel.unary_unary("/runtime.v1.RuntimeService/" + method,
                                   request_serializer=lambda m: m.SerializeToString(),
                                   response_deserializer=of_name(method + "Response").FromString)
        try:
            answer = call(request, timeout=60)
        except grpc.RpcError as error:
            sys.exit("cri: %s: %s" % (error.code().name, error.details()))
    values = json_format.MessageToDict(answer, including_default_value_fields=True,
                                       preserving_proto_field_name=True)
    if method == "ExecSync":  # as text, not as base64
        values["stdout"] = answer.stdout.decode(errors="replace")
        values["stderr"] = answer.stderr.decode(errors="replace")
    print(json.dumps(values))


main()
