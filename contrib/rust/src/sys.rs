//! The C declarations of `caisson-runtime.h`, name by name.
//!
//! `tests/abi.rs` reads this file together with the header: every function of the header is here
//! with the same signature, and every struct with the same members. Keep to the forms below, which
//! are all that it understands: one item a line group, no generics, no attributes on members.
//!
//! What each item means, who owns what and which thread may use it is told in the header.
#![allow(missing_docs, non_camel_case_types)]

use std::os::raw::{c_char, c_double, c_int, c_uint, c_ushort, c_void};

pub type csn_error_kind = c_uint;
pub const CSN_ERROR_NONE: csn_error_kind = 0;
pub const CSN_ERROR_NOT_FOUND: csn_error_kind = 1;
pub const CSN_ERROR_PULL_FAILED: csn_error_kind = 2;
pub const CSN_ERROR_CREATE_FAILED: csn_error_kind = 3;
pub const CSN_ERROR_START_FAILED: csn_error_kind = 4;
pub const CSN_ERROR_UNEXPECTED_EXIT: csn_error_kind = 5;
pub const CSN_ERROR_HEALTH_CHECK_FAILED: csn_error_kind = 6;
pub const CSN_ERROR_INIT_ACTION_FAILED: csn_error_kind = 7;
pub const CSN_ERROR_TIMEOUT: csn_error_kind = 8;
pub const CSN_ERROR_DEPENDENCY_TIMEOUT: csn_error_kind = 9;
pub const CSN_ERROR_INVALID_SPEC: csn_error_kind = 10;
pub const CSN_ERROR_NETWORK: csn_error_kind = 11;
pub const CSN_ERROR_CONFIGURATION: csn_error_kind = 12;
pub const CSN_ERROR_INTERNAL: csn_error_kind = 13;
pub const CSN_ERROR_UNSUPPORTED: csn_error_kind = 14;

pub type csn_state = c_uint;
pub const CSN_STATE_PENDING: csn_state = 0;
pub const CSN_STATE_INITIALIZING: csn_state = 1;
pub const CSN_STATE_RUNNING: csn_state = 2;
pub const CSN_STATE_STOPPING: csn_state = 3;
pub const CSN_STATE_EXITED: csn_state = 4;
pub const CSN_STATE_FAILED: csn_state = 5;

pub type csn_wait_reason = c_uint;
pub const CSN_WAIT_EXITED: csn_wait_reason = 0;
pub const CSN_WAIT_SIGNAL: csn_wait_reason = 1;
pub const CSN_WAIT_OOM_KILLED: csn_wait_reason = 2;
pub const CSN_WAIT_RUNTIME_ERROR: csn_wait_reason = 3;

pub type csn_stream = c_uint;
pub const CSN_STREAM_STDIN: csn_stream = 0;
pub const CSN_STREAM_STDOUT: csn_stream = 1;
pub const CSN_STREAM_STDERR: csn_stream = 2;

pub type csn_log_source = c_uint;
pub const CSN_LOG_CONTAINER: csn_log_source = 0;
pub const CSN_LOG_JOB: csn_log_source = 1;
pub const CSN_LOG_BUILD: csn_log_source = 2;
pub const CSN_LOG_DAEMON: csn_log_source = 3;

pub type csn_exec_event_kind = c_uint;
pub const CSN_EXEC_STDOUT: csn_exec_event_kind = 0;
pub const CSN_EXEC_STDERR: csn_exec_event_kind = 1;
pub const CSN_EXEC_EXIT: csn_exec_event_kind = 2;

pub type csn_service_format = c_uint;
pub const CSN_FORMAT_JSON: csn_service_format = 0;
pub const CSN_FORMAT_YAML: csn_service_format = 1;

pub type csn_pull_policy = c_uint;
pub const CSN_PULL_IF_NOT_PRESENT: csn_pull_policy = 0;
pub const CSN_PULL_ALWAYS: csn_pull_policy = 1;
pub const CSN_PULL_NEWER: csn_pull_policy = 2;
pub const CSN_PULL_NEVER: csn_pull_policy = 3;

pub type csn_tls_verify = c_uint;
pub const CSN_TLS_AS_CONFIGURED: csn_tls_verify = 0;
pub const CSN_TLS_REQUIRED: csn_tls_verify = 1;
pub const CSN_TLS_OPTIONAL: csn_tls_verify = 2;

pub type csn_wait_condition = c_uint;
pub const CSN_WAIT_NOT_RUNNING: csn_wait_condition = 0;
pub const CSN_WAIT_NEXT_EXIT: csn_wait_condition = 1;
pub const CSN_WAIT_REMOVED: csn_wait_condition = 2;

pub type csn_overlay_attach_kind = c_uint;
pub const CSN_OVERLAY_HOST_NETNS: csn_overlay_attach_kind = 0;
pub const CSN_OVERLAY_HOST_IP: csn_overlay_attach_kind = 1;
pub const CSN_OVERLAY_IN_GUEST_VSOCK: csn_overlay_attach_kind = 2;

pub type csn_progress_kind = c_uint;
pub const CSN_PROGRESS_STATUS: csn_progress_kind = 0;
pub const CSN_PROGRESS_DONE: csn_progress_kind = 1;

pub type csn_change_kind = c_uint;
pub const CSN_CHANGE_MODIFIED: csn_change_kind = 0;
pub const CSN_CHANGE_ADDED: csn_change_kind = 1;
pub const CSN_CHANGE_DELETED: csn_change_kind = 2;

/// An opaque handle of the library.
#[repr(C)]
pub struct csn_rt {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct csn_runtime {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct csn_service {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct csn_images {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct csn_log_entries {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct csn_exec_stream {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct csn_texts {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct csn_ports {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct csn_top {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct csn_changes {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct csn_container_summaries {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct csn_log_stream {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct csn_sample_stream {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct csn_progress_stream {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct csn_image_history {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct csn_resource_update {
    pub size: usize,
    pub cpu_shares: *const i64,
    pub memory: *const i64,
    pub cpu_period: *const i64,
    pub cpu_quota: *const i64,
    pub cpu_realtime_period: *const i64,
    pub cpu_realtime_runtime: *const i64,
    pub cpuset_cpus: *const c_char,
    pub cpuset_mems: *const c_char,
    pub memory_reservation: *const i64,
    pub memory_swap: *const i64,
    pub kernel_memory: *const i64,
    pub blkio_weight: *const i64,
    pub pids_limit: *const i64,
    pub restart_policy: *const c_char,
    pub restart_maximum_retry_count: *const i64,
}

#[repr(C)]
pub struct csn_container_summary {
    pub runtime_id: *const c_char,
    pub container_id_label: *const c_char,
}

#[repr(C)]
pub struct csn_port_mapping {
    pub container_port: u16,
    pub protocol: *const c_char,
    pub host_ip: *const c_char,
    pub host_port: u16,
}

#[repr(C)]
pub struct csn_network_attachment {
    pub network: *const c_char,
    pub aliases: *const *const c_char,
    pub ipv4: *const c_char,
}

#[repr(C)]
pub struct csn_health_detail {
    pub status: *const c_char,
    pub failing_streak: u32,
    pub has_failing_streak: bool,
    pub last_output: *const c_char,
}

#[repr(C)]
pub struct csn_container_details {
    pub ports: *const csn_port_mapping,
    pub ports_count: usize,
    pub networks: *const csn_network_attachment,
    pub networks_count: usize,
    pub ipv4: *const c_char,
    pub health: *const csn_health_detail,
    pub exit_code: c_int,
    pub has_exit_code: bool,
}

#[repr(C)]
pub struct csn_logs_stream_options {
    pub size: usize,
    pub follow: bool,
    pub tail: i64,
    pub since_ns: i64,
    pub until_ns: i64,
    pub timestamps: bool,
    pub want_stdout: bool,
    pub want_stderr: bool,
}

#[repr(C)]
pub struct csn_log_chunk {
    pub size: usize,
    pub stream: csn_stream,
    pub bytes: *const c_char,
    pub length: usize,
    pub timestamp_ns: i64,
}

#[repr(C)]
pub struct csn_exec_options {
    pub size: usize,
    pub command: *const *const c_char,
    pub env: *const *const c_char,
    pub working_dir: *const c_char,
    pub user: *const c_char,
    pub tty: bool,
    pub stdin_open: bool,
}

#[repr(C)]
pub struct csn_stats_sample {
    pub size: usize,
    pub cpu_total_ns: u64,
    pub cpu_system_ns: u64,
    pub online_cpus: u32,
    pub mem_used_bytes: u64,
    pub mem_limit_bytes: u64,
    pub net_rx_bytes: u64,
    pub net_tx_bytes: u64,
    pub blkio_read_bytes: u64,
    pub blkio_write_bytes: u64,
    pub pids_current: u64,
    pub pids_limit: u64,
    pub timestamp_ns: i64,
}

#[repr(C)]
pub struct csn_path_stat {
    pub size: usize,
    pub name: [c_char; 256],
    pub file_size: i64,
    pub mode: u32,
    pub mtime_ns: i64,
    pub link_target: [c_char; 4096],
}

#[repr(C)]
pub struct csn_change {
    pub path: *const c_char,
    pub kind: csn_change_kind,
}

#[repr(C)]
pub struct csn_archive_put_options {
    pub size: usize,
    pub no_overwrite_dir_non_dir: bool,
    pub copy_uid_gid: bool,
}

#[repr(C)]
pub struct csn_progress {
    pub size: usize,
    pub kind: csn_progress_kind,
    pub id: *const c_char,
    pub status: *const c_char,
    pub progress: *const c_char,
    pub current: u64,
    pub total: u64,
    pub references: *const *const c_char,
    pub digest: *const c_char,
}

#[repr(C)]
pub struct csn_image_details {
    pub size: usize,
    pub id: *const c_char,
    pub repo_tags: *const *const c_char,
    pub repo_digests: *const *const c_char,
    pub parent: *const c_char,
    pub comment: *const c_char,
    pub created: *const c_char,
    pub container: *const c_char,
    pub docker_version: *const c_char,
    pub author: *const c_char,
    pub architecture: *const c_char,
    pub os: *const c_char,
    pub size_bytes: u64,
    pub has_size: bool,
    pub layers: *const *const c_char,
    pub env: *const *const c_char,
    pub cmd: *const *const c_char,
    pub entrypoint: *const *const c_char,
    pub working_dir: *const c_char,
    pub user: *const c_char,
    pub labels: *const *const c_char,
}

#[repr(C)]
pub struct csn_image_history_entry {
    pub id: *const c_char,
    pub created: i64,
    pub created_by: *const c_char,
    pub comment: *const c_char,
    pub size_bytes: u64,
    pub tags: *const *const c_char,
}

#[repr(C)]
pub struct csn_rt_commit_options {
    pub size: usize,
    pub repo: *const c_char,
    pub tag: *const c_char,
    pub comment: *const c_char,
    pub author: *const c_char,
    pub pause: bool,
    pub changes: *const c_char,
}

#[repr(C)]
pub struct csn_secret_value {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct csn_secret {
    pub size: usize,
    pub scope: *const c_char,
    pub service: *const c_char,
    pub project: *const c_char,
    pub environment: *const c_char,
    pub name: *const c_char,
}

pub type secret_fn = unsafe extern "C" fn(
    *mut c_void,
    *const csn_secret,
    *mut csn_secret_value,
    *mut csn_error,
) -> c_int;
pub type warn_fn = unsafe extern "C" fn(*mut c_void, *const c_char, *const c_char);

#[repr(C)]
pub struct csn_container_auth_context {
    pub size: usize,
    pub api_url: *const c_char,
    pub jwt_secret: *const c_char,
    pub jwt_secret_size: usize,
    pub socket_path: *const c_char,
    pub socket_target: *const c_char,
    pub env_prefix: *const c_char,
    pub issuer: *const c_char,
    pub ttl_s: i64,
}

#[repr(C)]
pub struct csn_rt_options {
    pub size: usize,
    pub network: *const c_char,
    pub secret: Option<secret_fn>,
    pub secret_data: *mut c_void,
    pub warn: Option<warn_fn>,
    pub warn_data: *mut c_void,
    pub auth: *const csn_container_auth_context,
}

#[repr(C)]
pub struct csn_error {
    pub code: c_int,
    pub kind: csn_error_kind,
    pub subject_at: c_ushort,
    pub subject_size: c_ushort,
    pub reason_at: c_ushort,
    pub text: [c_char; 498],
}

#[repr(C)]
pub struct csn_config {
    pub size: usize,
    pub root: *const c_char,
    pub run_root: *const c_char,
}

#[repr(C)]
pub struct csn_container_id {
    pub service: [c_char; 64],
    pub role: [c_char; 32],
    pub replica: u32,
    pub node_id: u64,
}
pub const CSN_CONTAINER_ID_TEXT: usize = 129;

#[repr(C)]
pub struct csn_image_info {
    pub reference: *const c_char,
    pub digest: *const c_char,
    pub id: *const c_char,
    pub created: *const c_char,
    pub architecture: *const c_char,
    pub os: *const c_char,
    pub size_bytes: u64,
}

#[repr(C)]
pub struct csn_registry_options {
    pub size: usize,
    pub username: *const c_char,
    pub password: *const c_char,
    pub identity_token: *const c_char,
    pub auth_file: *const c_char,
    pub cert_dir: *const c_char,
    pub tls_verify: csn_tls_verify,
    pub anonymous: bool,
    pub stall_timeout_s: c_int,
}

#[repr(C)]
pub struct csn_container_state {
    pub size: usize,
    pub state: csn_state,
    pub exit_code: c_int,
    pub paused: bool,
    pub reason: [c_char; 256],
}

#[repr(C)]
pub struct csn_wait_outcome {
    pub size: usize,
    pub exit_code: c_int,
    pub reason: csn_wait_reason,
    pub signal: c_int,
    pub signal_name: [c_char; 24],
    pub core_dumped: bool,
    pub oom_kills: u64,
    pub memory_peak_bytes: u64,
    pub started_at_ns: i64,
    pub finished_at_ns: i64,
    pub error: [c_char; 256],
}

#[repr(C)]
pub struct csn_rt_stats {
    pub size: usize,
    pub cpu_usage_usec: u64,
    pub memory_bytes: u64,
    pub memory_limit: u64,
    pub timestamp_ns: i64,
}

#[repr(C)]
pub struct csn_log_entry {
    pub timestamp_ns: i64,
    pub stream: csn_stream,
    pub message: *const c_char,
    pub message_size: usize,
    pub source: csn_log_source,
    pub source_id: *const c_char,
    pub service: *const c_char,
    pub deployment: *const c_char,
}

#[repr(C)]
pub struct csn_exec_result {
    pub size: usize,
    pub exit_code: c_int,
    pub out: *mut c_char,
    pub err: *mut c_char,
    pub out_size: usize,
    pub err_size: usize,
}

#[repr(C)]
pub struct csn_exec_event {
    pub size: usize,
    pub kind: csn_exec_event_kind,
    pub bytes: *const c_char,
    pub length: usize,
    pub exit_code: c_int,
}

extern "C" {
    pub fn csn_version() -> *const c_char;
    pub fn csn_free(text: *mut c_void);

    pub fn csn_error_kind_name(kind: csn_error_kind) -> *const c_char;
    pub fn csn_error_subject(err: *const csn_error, ret_size: *mut usize) -> *const c_char;
    pub fn csn_error_reason(err: *const csn_error) -> *const c_char;

    pub fn csn_container_id_make(
        service: *const c_char,
        replica: u32,
        ret: *mut csn_container_id,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_container_id_format(
        id: *const csn_container_id,
        ret_text: *mut [c_char; CSN_CONTAINER_ID_TEXT],
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_container_id_parse(
        text: *const c_char,
        ret: *mut csn_container_id,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_container_id_is_legacy(id: *const csn_container_id) -> bool;

    pub fn csn_validate_signal(
        text: *const c_char,
        ret_name: *mut *const c_char,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_signal_name_from_exit_code(code: c_int, buf: *mut [c_char; 24]) -> *const c_char;
    pub fn csn_wait_reason_name(reason: csn_wait_reason) -> *const c_char;
    pub fn csn_wait_reason_parse(
        name: *const c_char,
        ret: *mut csn_wait_reason,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_state_name(state: csn_state) -> *const c_char;
    pub fn csn_wait_outcome_to_json(
        outcome: *const csn_wait_outcome,
        ret_json: *mut *mut c_char,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_wait_outcome_from_json(
        json: *const c_char,
        size: usize,
        ret: *mut csn_wait_outcome,
        err: *mut csn_error,
    ) -> c_int;

    pub fn csn_memory_percent(stats: *const csn_rt_stats) -> c_double;
    pub fn csn_cpu_percent(
        previous: *const csn_rt_stats,
        current: *const csn_rt_stats,
        cpus: c_uint,
    ) -> c_double;

    pub fn csn_service_parse(
        text: *const c_char,
        size: usize,
        format: csn_service_format,
        service: *const c_char,
        ret: *mut *mut csn_service,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_service_free(service: *mut csn_service);

    pub fn csn_rt_open_native(
        config: *const csn_config,
        ret: *mut *mut csn_rt,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_open_mock(ret: *mut *mut csn_rt, err: *mut csn_error) -> c_int;
    pub fn csn_rt_close(rt: *mut csn_rt);
    pub fn csn_rt_name(rt: *const csn_rt) -> *const c_char;
    pub fn csn_rt_engine(rt: *mut csn_rt) -> *mut csn_runtime;

    pub fn csn_pull_policy_parse(
        text: *const c_char,
        ret: *mut csn_pull_policy,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_pull_image(rt: *mut csn_rt, image: *const c_char, err: *mut csn_error) -> c_int;
    pub fn csn_rt_pull_image_with_policy(
        rt: *mut csn_rt,
        image: *const c_char,
        policy: csn_pull_policy,
        auth: *const csn_registry_options,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_list_images(
        rt: *mut csn_rt,
        ret: *mut *mut csn_images,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_images_count(images: *const csn_images) -> usize;
    pub fn csn_images_get(images: *const csn_images, index: usize) -> *const csn_image_info;
    pub fn csn_images_free(images: *mut csn_images);
    pub fn csn_rt_remove_image(
        rt: *mut csn_rt,
        image: *const c_char,
        force: bool,
        err: *mut csn_error,
    ) -> c_int;

    pub fn csn_rt_create_container(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        service: *const csn_service,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_start_container(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_stop_container(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        timeout_ms: c_int,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_remove_container(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_kill_container(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        signal: *const c_char,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_pause_container(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_unpause_container(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        err: *mut csn_error,
    ) -> c_int;

    pub fn csn_rt_container_state(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        ret: *mut csn_container_state,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_get_container_pid(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        ret: *mut c_int,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_get_container_ip(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        ret: *mut [c_char; 46],
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_get_container_port_override(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        ret: *mut u16,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_get_container_namespace_id(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        ret: *mut [c_char; 64],
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_sync_container_volumes(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        err: *mut csn_error,
    ) -> c_int;

    pub fn csn_rt_wait_container(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        timeout_ms: c_int,
        ret_code: *mut c_int,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_wait_outcome(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        timeout_ms: c_int,
        ret: *mut csn_wait_outcome,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_wait_fd(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        ret_fd: *mut c_int,
        err: *mut csn_error,
    ) -> c_int;

    pub fn csn_log_entries_count(entries: *const csn_log_entries) -> usize;
    pub fn csn_log_entries_get(
        entries: *const csn_log_entries,
        index: usize,
    ) -> *const csn_log_entry;
    pub fn csn_log_entries_free(entries: *mut csn_log_entries);
    pub fn csn_log_entry_to_json(
        entry: *const csn_log_entry,
        ret_json: *mut *mut c_char,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_container_logs(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        tail: u64,
        ret: *mut *mut csn_log_entries,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_get_logs(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        ret: *mut *mut csn_log_entries,
        err: *mut csn_error,
    ) -> c_int;

    pub fn csn_exec_result_done(result: *mut csn_exec_result);
    pub fn csn_rt_exec(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        argv: *const *const c_char,
        timeout_ms: c_int,
        ret: *mut csn_exec_result,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_exec_stream(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        argv: *const *const c_char,
        ret: *mut *mut csn_exec_stream,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_exec_stream_next(
        stream: *mut csn_exec_stream,
        timeout_ms: c_int,
        ret: *mut csn_exec_event,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_exec_stream_fd(stream: *const csn_exec_stream) -> c_int;
    pub fn csn_exec_stream_close(stream: *mut csn_exec_stream);

    pub fn csn_rt_get_container_stats(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        ret: *mut csn_rt_stats,
        err: *mut csn_error,
    ) -> c_int;

    pub fn csn_texts_count(texts: *const csn_texts) -> usize;
    pub fn csn_texts_get(texts: *const csn_texts, index: usize) -> *const c_char;
    pub fn csn_texts_free(texts: *mut csn_texts);
    pub fn csn_ports_count(ports: *const csn_ports) -> usize;
    pub fn csn_ports_get(ports: *const csn_ports, index: usize) -> *const csn_port_mapping;
    pub fn csn_ports_free(ports: *mut csn_ports);
    pub fn csn_rt_open_bare(ret: *mut *mut csn_rt, err: *mut csn_error) -> c_int;
    pub fn csn_rt_overlay_attach_kind(rt: *const csn_rt) -> csn_overlay_attach_kind;
    pub fn csn_rt_rename_container(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        name: *const c_char,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_update_container_resources(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        update: *const csn_resource_update,
        ret_warnings: *mut *mut csn_texts,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_prune_containers(
        rt: *mut csn_rt,
        ret_deleted: *mut *mut csn_texts,
        ret_bytes: *mut u64,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_container_summaries_count(list: *const csn_container_summaries) -> usize;
    pub fn csn_container_summaries_get(
        list: *const csn_container_summaries,
        index: usize,
    ) -> *const csn_container_summary;
    pub fn csn_container_summaries_free(list: *mut csn_container_summaries);
    pub fn csn_rt_list_containers(
        rt: *mut csn_rt,
        ret: *mut *mut csn_container_summaries,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_port_mappings_container(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        ret: *mut *mut csn_ports,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_inspect_detailed(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        ret: *mut *mut csn_container_details,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_container_details_free(details: *mut csn_container_details);
    pub fn csn_rt_top_container(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        ps_args: *const *const c_char,
        ret: *mut *mut csn_top,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_wait_condition_name(condition: csn_wait_condition) -> *const c_char;
    pub fn csn_wait_condition_parse(
        name: *const c_char,
        ret: *mut csn_wait_condition,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_wait_outcome_with_condition(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        condition: csn_wait_condition,
        timeout_ms: c_int,
        ret: *mut csn_wait_outcome,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_stream_name(stream: csn_stream) -> *const c_char;
    pub fn csn_rt_logs_stream(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        options: *const csn_logs_stream_options,
        ret: *mut *mut csn_log_stream,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_log_stream_next(
        stream: *mut csn_log_stream,
        timeout_ms: c_int,
        ret: *mut csn_log_chunk,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_log_stream_fd(stream: *const csn_log_stream) -> c_int;
    pub fn csn_log_stream_close(stream: *mut csn_log_stream);
    pub fn csn_rt_mock_queue_log(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        chunk: *const csn_log_chunk,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_exec_with_opts(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        options: *const csn_exec_options,
        timeout_ms: c_int,
        ret: *mut csn_exec_result,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_exec_pty(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        options: *const csn_exec_options,
        ret: *mut *mut csn_exec_stream,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_exec_stream_write(
        stream: *mut csn_exec_stream,
        bytes: *const c_void,
        size: usize,
        timeout_ms: c_int,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_exec_stream_close_stdin(
        stream: *mut csn_exec_stream,
        timeout_ms: c_int,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_exec_stream_resize(
        stream: *mut csn_exec_stream,
        rows: c_uint,
        columns: c_uint,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_write_stdin(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        bytes: *const c_void,
        size: usize,
        timeout_ms: c_int,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_close_stdin(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_stats_stream(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        interval_ms: c_int,
        ret: *mut *mut csn_sample_stream,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_sample_stream_next(
        stream: *mut csn_sample_stream,
        timeout_ms: c_int,
        ret: *mut csn_stats_sample,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_sample_stream_fd(stream: *const csn_sample_stream) -> c_int;
    pub fn csn_sample_stream_close(stream: *mut csn_sample_stream);
    pub fn csn_rt_mock_queue_sample(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        sample: *const csn_stats_sample,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_changes_container(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        ret: *mut *mut csn_changes,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_archive_head(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        path: *const c_char,
        ret: *mut csn_path_stat,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_archive_get(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        path: *const c_char,
        fd: c_int,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_archive_put(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        path: *const c_char,
        fd: c_int,
        options: *const csn_archive_put_options,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_progress_to_json(
        progress: *const csn_progress,
        ret_json: *mut *mut c_char,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_progress_stream_next(
        stream: *mut csn_progress_stream,
        timeout_ms: c_int,
        ret: *mut csn_progress,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_progress_stream_fd(stream: *const csn_progress_stream) -> c_int;
    pub fn csn_progress_stream_close(stream: *mut csn_progress_stream);
    pub fn csn_rt_pull_image_stream(
        rt: *mut csn_rt,
        image: *const c_char,
        auth: *const csn_registry_options,
        ret: *mut *mut csn_progress_stream,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_mock_queue_progress(
        rt: *mut csn_rt,
        image: *const c_char,
        progress: *const csn_progress,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_tag_image(
        rt: *mut csn_rt,
        source: *const c_char,
        target: *const c_char,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_prune_images(
        rt: *mut csn_rt,
        ret_deleted: *mut *mut csn_texts,
        ret_bytes: *mut u64,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_inspect_image_native(
        rt: *mut csn_rt,
        image: *const c_char,
        ret: *mut *mut csn_image_details,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_image_details_free(details: *mut csn_image_details);
    pub fn csn_image_details_to_json(
        details: *const csn_image_details,
        ret_json: *mut *mut c_char,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_image_details_from_json(
        json: *const c_char,
        size: usize,
        ret: *mut *mut csn_image_details,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_image_history_count(history: *const csn_image_history) -> usize;
    pub fn csn_image_history_get(
        history: *const csn_image_history,
        index: usize,
    ) -> *const csn_image_history_entry;
    pub fn csn_image_history_free(history: *mut csn_image_history);
    pub fn csn_rt_image_history(
        rt: *mut csn_rt,
        image: *const c_char,
        ret: *mut *mut csn_image_history,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_search_images(
        rt: *mut csn_rt,
        term: *const c_char,
        limit: u32,
        ret_json: *mut *mut c_char,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_save_images(
        rt: *mut csn_rt,
        images: *const *const c_char,
        fd: c_int,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_load_images(
        rt: *mut csn_rt,
        fd: c_int,
        quiet: bool,
        ret: *mut *mut csn_progress_stream,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_import_image(
        rt: *mut csn_rt,
        fd: c_int,
        repo: *const c_char,
        tag: *const c_char,
        ret_id: *mut *mut c_char,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_export_container_fs(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        fd: c_int,
        err: *mut csn_error,
    ) -> c_int;
    pub fn csn_rt_commit_container(
        rt: *mut csn_rt,
        id: *const csn_container_id,
        options: *const csn_rt_commit_options,
        ret_id: *mut *mut c_char,
        err: *mut csn_error,
    ) -> c_int;

    pub fn csn_secret_set(to: *mut csn_secret_value, value: *const c_char, size: usize) -> c_int;
    pub fn csn_rt_configure(
        rt: *mut csn_rt,
        options: *const csn_rt_options,
        err: *mut csn_error,
    ) -> c_int;

    pub fn csn_top_columns(top: *const csn_top) -> usize;
    pub fn csn_top_rows(top: *const csn_top) -> usize;
    pub fn csn_top_title(top: *const csn_top, column: usize) -> *const c_char;
    pub fn csn_top_cell(top: *const csn_top, row: usize, column: usize) -> *const c_char;
    pub fn csn_top_free(top: *mut csn_top);
    pub fn csn_changes_count(changes: *const csn_changes) -> usize;
    pub fn csn_changes_get(changes: *const csn_changes, index: usize) -> *const csn_change;
    pub fn csn_changes_free(changes: *mut csn_changes);
}
