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
}
