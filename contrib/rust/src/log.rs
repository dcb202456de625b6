//! What containers wrote.
use std::ptr;
use std::time::SystemTime;

use crate::error::{call, Result};
use crate::sys;
use crate::text;

/// Where a container wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum LogStream {
    /// What it read: only in streams that carry input, too.
    Stdin = sys::CSN_STREAM_STDIN,
    /// Standard output.
    Stdout = sys::CSN_STREAM_STDOUT,
    /// Standard error.
    Stderr = sys::CSN_STREAM_STDERR,
}

impl LogStream {
    pub(crate) fn from_raw(raw: sys::csn_stream) -> LogStream {
        match raw {
            sys::CSN_STREAM_STDIN => LogStream::Stdin,
            sys::CSN_STREAM_STDERR => LogStream::Stderr,
            _ => LogStream::Stdout,
        }
    }
}

/// Who wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogSource {
    /// A container, by its id's text.
    Container(String),
    /// A job, by its id.
    Job(String),
    /// A build, by its id.
    Build(String),
    /// The agent itself.
    Daemon,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// When it was read.
    pub timestamp: SystemTime,
    /// Where it was written to.
    pub stream: LogStream,
    /// Any bytes, without a newline at the end.
    pub message: Vec<u8>,
    /// Who wrote it.
    pub source: LogSource,
    /// The service's name, where it is said.
    pub service: Option<String>,
    /// The deployment's name, where it is said.
    pub deployment: Option<String>,
}

impl LogEntry {
    /// The message as text; bytes that are no UTF-8 become U+FFFD.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.message)
    }

    /// `{"timestamp":…,"stream":"stdout","message":…,"source":{"type":"container","id":…}}`, with
    /// "service" and "deployment" where they are said.
    pub fn to_json(&self) -> Result<String> {
        let (source, id) = match &self.source {
            LogSource::Container(id) => (sys::CSN_LOG_CONTAINER, Some(id)),
            LogSource::Job(id) => (sys::CSN_LOG_JOB, Some(id)),
            LogSource::Build(id) => (sys::CSN_LOG_BUILD, Some(id)),
            LogSource::Daemon => (sys::CSN_LOG_DAEMON, None),
        };
        let id = text::to_c_option("source", id.map(String::as_str))?;
        let service = text::to_c_option("service", self.service.as_deref())?;
        let deployment = text::to_c_option("deployment", self.deployment.as_deref())?;
        let raw = sys::csn_log_entry {
            timestamp_ns: text::time_ns(Some(self.timestamp)),
            stream: self.stream as sys::csn_stream,
            message: self.message.as_ptr().cast(),
            message_size: self.message.len(),
            source,
            source_id: text::pointer(&id),
            service: text::pointer(&service),
            deployment: text::pointer(&deployment),
        };
        let mut json = ptr::null_mut();
        // Safety: all that raw points to lives until here; the text is the library's until taken.
        unsafe {
            call(|err| sys::csn_log_entry_to_json(&raw, &mut json, err))?;
            Ok(text::take(json))
        }
    }

    /// # Safety
    /// The texts of `raw` are null or end with a 0; its message has that length.
    unsafe fn from_raw(raw: &sys::csn_log_entry) -> LogEntry {
        let id = text::from_pointer(raw.source_id);
        LogEntry {
            timestamp: text::time(raw.timestamp_ns).unwrap_or(SystemTime::UNIX_EPOCH),
            stream: LogStream::from_raw(raw.stream),
            message: text::bytes(raw.message, raw.message_size),
            source: match raw.source {
                sys::CSN_LOG_JOB => LogSource::Job(id),
                sys::CSN_LOG_BUILD => LogSource::Build(id),
                sys::CSN_LOG_DAEMON => LogSource::Daemon,
                _ => LogSource::Container(id),
            },
            service: text::from_pointer_option(raw.service),
            deployment: text::from_pointer_option(raw.deployment),
        }
    }

    /// Copies a list of the library and frees it.
    ///
    /// # Safety
    /// `list` is null or a list that nobody else frees.
    pub(crate) unsafe fn take(list: *mut sys::csn_log_entries) -> Vec<LogEntry> {
        if list.is_null() {
            return Vec::new();
        }
        let entries = (0..sys::csn_log_entries_count(list))
            .filter_map(|i| sys::csn_log_entries_get(list, i).as_ref())
            .map(|raw| LogEntry::from_raw(raw))
            .collect();
        sys::csn_log_entries_free(list);
        entries
    }
}
