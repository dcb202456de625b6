//! What containers wrote.
use std::mem;
use std::ptr;
use std::time::SystemTime;

use crate::error::{call, Result};
use crate::id::ContainerId;
use crate::runtime::Runtime;
use crate::stream::stream;
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
    /// "stdin", "stdout", "stderr".
    pub fn as_str(self) -> &'static str {
        match self {
            LogStream::Stdin => "stdin",
            LogStream::Stdout => "stdout",
            LogStream::Stderr => "stderr",
        }
    }

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

/// What of a log, and whether to wait for more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogsStreamOptions {
    /// Wait for more until the container ends.
    pub follow: bool,
    /// Only the last so many lines; None: all.
    pub tail: Option<u64>,
    /// Only what was written then or later.
    pub since: Option<SystemTime>,
    /// Only what was written until then.
    pub until: Option<SystemTime>,
    /// With the time of each.
    pub timestamps: bool,
    /// Standard output; neither: both.
    pub stdout: bool,
    /// Standard error; neither: both.
    pub stderr: bool,
}

/// A line of a log, with the newline that it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChunk {
    /// Where it was written to.
    pub stream: LogStream,
    /// Any bytes.
    pub bytes: Vec<u8>,
    /// When, where it is said.
    pub timestamp: Option<SystemTime>,
}

impl LogChunk {
    fn empty() -> sys::csn_log_chunk {
        sys::csn_log_chunk {
            size: mem::size_of::<sys::csn_log_chunk>(),
            stream: sys::CSN_STREAM_STDOUT,
            bytes: ptr::null(),
            length: 0,
            timestamp_ns: 0,
        }
    }
}

/// # Safety
/// `raw` was filled by the library, and nothing was asked of its stream since.
unsafe fn chunk(raw: &sys::csn_log_chunk) -> LogChunk {
    LogChunk {
        stream: LogStream::from_raw(raw.stream),
        bytes: text::bytes(raw.bytes, raw.length),
        timestamp: text::time(raw.timestamp_ns),
    }
}

stream! {
    /// The lines of a container, both streams in the order in which they were written.
    LogsStream of LogChunk,
    csn_log_stream, csn_log_stream_next, csn_log_stream_fd, csn_log_stream_close,
    LogChunk::empty(), chunk
}

/// Logs.
impl Runtime {
    /// The last `tail` entries of both streams in the order in which they were written; 0: all (of
    /// a mock: none).
    pub fn container_logs(&self, id: &ContainerId, tail: u64) -> Result<Vec<LogEntry>> {
        let mut list = ptr::null_mut();
        // Safety, here and below: the handle is open, and what is passed outlives the call.
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_container_logs(rt, id, tail, &mut list, err)
        })?;
        Ok(unsafe { LogEntry::take(list) })
    }

    /// All of them.
    pub fn get_logs(&self, id: &ContainerId) -> Result<Vec<LogEntry>> {
        let mut list = ptr::null_mut();
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_get_logs(rt, id, &mut list, err)
        })?;
        Ok(unsafe { LogEntry::take(list) })
    }

    /// Both streams as they are written.
    pub fn logs_stream(&self, id: &ContainerId, options: &LogsStreamOptions) -> Result<LogsStream> {
        let tail = options
            .tail
            .map_or(-1, |n| i64::try_from(n).unwrap_or(i64::MAX));
        let options = sys::csn_logs_stream_options {
            size: mem::size_of::<sys::csn_logs_stream_options>(),
            follow: options.follow,
            tail,
            since_ns: text::time_ns(options.since),
            until_ns: text::time_ns(options.until),
            timestamps: options.timestamps,
            want_stdout: options.stdout,
            want_stderr: options.stderr,
        };
        let mut raw = ptr::null_mut();
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_logs_stream(rt, id, &options, &mut raw, err)
        })?;
        unsafe { LogsStream::new(raw, self) }
    }

    /// A mock's next line of that container. Behind the queued ones a stream that follows waits,
    /// another ends.
    pub fn mock_queue_log(&self, id: &ContainerId, chunk: &LogChunk) -> Result<()> {
        let raw = sys::csn_log_chunk {
            stream: chunk.stream as sys::csn_stream,
            bytes: chunk.bytes.as_ptr().cast(),
            length: chunk.bytes.len(),
            timestamp_ns: text::time_ns(chunk.timestamp),
            ..LogChunk::empty()
        };
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_mock_queue_log(rt, id, &raw, err)
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_librarys() {
        for raw in sys::CSN_STREAM_STDIN..=sys::CSN_STREAM_STDERR {
            // Safety: a constant text of the library.
            let name = unsafe { text::from_pointer(sys::csn_stream_name(raw)) };
            assert_eq!(LogStream::from_raw(raw).as_str(), name);
        }
    }
}
