//! More processes in a running container.
use std::mem;
use std::os::unix::io::{AsFd, BorrowedFd};
use std::ptr::{self, NonNull};
use std::task::Poll;
use std::time::Duration;

use crate::error::{call, Error, Result};
use crate::runtime::Runtime;
use crate::sys;
use crate::text;

/// What a command said and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecResult {
    /// 128+N for signal N.
    pub exit_code: i32,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

impl ExecResult {
    pub(crate) fn empty() -> sys::csn_exec_result {
        sys::csn_exec_result {
            size: mem::size_of::<sys::csn_exec_result>(),
            exit_code: 0,
            out: ptr::null_mut(),
            err: ptr::null_mut(),
            out_size: 0,
            err_size: 0,
        }
    }

    /// Copies what the library gave and frees it.
    ///
    /// # Safety
    /// `raw` was filled by the library, or is empty.
    pub(crate) unsafe fn take(mut raw: sys::csn_exec_result) -> ExecResult {
        let result = ExecResult {
            exit_code: raw.exit_code,
            stdout: text::bytes(raw.out, raw.out_size),
            stderr: text::bytes(raw.err, raw.err_size),
        };
        sys::csn_exec_result_done(&mut raw);
        result
    }
}

/// What a command does while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecEvent {
    /// A piece of its standard output.
    Stdout(Vec<u8>),
    /// A piece of its standard error.
    Stderr(Vec<u8>),
    /// It ended with that code, 128+N for signal N: the last event, and the only one of its kind.
    Exit(i32),
}

/// The events of a command, each as it happens. As an iterator it waits for them without a limit.
///
/// Readable ([`AsFd`]) when [`ExecStream::next_within`] may have news. The command is killed when
/// the stream is dropped before its end. The runtime stays open as long as the stream.
pub struct ExecStream {
    raw: NonNull<sys::csn_exec_stream>,
    over: bool,
    _runtime: Runtime,
}

// Safety: a stream belongs to one thread at a time, which a value that is not Sync does.
unsafe impl Send for ExecStream {}

impl ExecStream {
    /// # Safety
    /// `raw` is a stream of that runtime that nobody else closes, or null.
    pub(crate) unsafe fn new(
        raw: *mut sys::csn_exec_stream,
        runtime: &Runtime,
    ) -> Result<ExecStream> {
        let raw = NonNull::new(raw).ok_or_else(|| Error::Internal("no stream".into()))?;
        Ok(ExecStream {
            raw,
            over: false,
            _runtime: runtime.clone(),
        })
    }

    /// The next event; `Ready(None)` when there are no more, `Pending` when none came in time.
    pub fn next_within(&mut self, limit: Option<Duration>) -> Poll<Option<Result<ExecEvent>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let mut raw = sys::csn_exec_event {
            size: mem::size_of::<sys::csn_exec_event>(),
            kind: sys::CSN_EXEC_STDOUT,
            bytes: ptr::null(),
            length: 0,
            exit_code: 0,
        };
        let mut pending = false;
        // Safety: the stream is ours; what the event points to is copied before the next call.
        let said = call(|err| unsafe {
            let ms = text::milliseconds(limit);
            let r = sys::csn_exec_stream_next(self.raw.as_ptr(), ms, &mut raw, err);
            pending = r == -EAGAIN;
            r
        });
        match said {
            Ok(0) => {
                self.over = true;
                Poll::Ready(None)
            }
            // Safety: as above.
            Ok(_) => Poll::Ready(Some(Ok(unsafe { event(&raw) }))),
            Err(_) if pending => Poll::Pending,
            Err(error) => {
                self.over = true;
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}

const EAGAIN: std::os::raw::c_int = 11;

/// # Safety
/// `raw` was filled by the library, and nothing was asked of its stream since.
unsafe fn event(raw: &sys::csn_exec_event) -> ExecEvent {
    match raw.kind {
        sys::CSN_EXEC_STDOUT => ExecEvent::Stdout(text::bytes(raw.bytes, raw.length)),
        sys::CSN_EXEC_STDERR => ExecEvent::Stderr(text::bytes(raw.bytes, raw.length)),
        _ => ExecEvent::Exit(raw.exit_code),
    }
}

impl Iterator for ExecStream {
    type Item = Result<ExecEvent>;

    fn next(&mut self) -> Option<Result<ExecEvent>> {
        loop {
            if let Poll::Ready(event) = self.next_within(None) {
                return event;
            }
        }
    }
}

impl AsFd for ExecStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // Safety: the fd is open as long as the stream.
        unsafe { BorrowedFd::borrow_raw(sys::csn_exec_stream_fd(self.raw.as_ptr())) }
    }
}

impl Drop for ExecStream {
    fn drop(&mut self) {
        // Safety: the stream is ours; its runtime is dropped after this.
        unsafe { sys::csn_exec_stream_close(self.raw.as_ptr()) }
    }
}

impl std::fmt::Debug for ExecStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecStream")
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}
