//! More processes in a running container.
use std::ffi::OsStr;
use std::mem;
use std::os::raw::c_int;
use std::ptr;
use std::task::Poll;
use std::time::Duration;

use crate::error::{call, call_within, Result};
use crate::id::ContainerId;
use crate::runtime::Runtime;
use crate::stream::{stream, EAGAIN};
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

stream! {
    /// The events of a command, each as it happens. The command is killed when the stream is
    /// dropped before its end.
    ExecStream of ExecEvent,
    csn_exec_stream, csn_exec_stream_next, csn_exec_stream_fd, csn_exec_stream_close,
    sys::csn_exec_event {
        size: mem::size_of::<sys::csn_exec_event>(),
        kind: sys::CSN_EXEC_STDOUT,
        bytes: ptr::null(),
        length: 0,
        exit_code: 0,
    },
    event
}

/// # Safety
/// `raw` was filled by the library, and nothing was asked of its stream since.
unsafe fn event(raw: &sys::csn_exec_event) -> ExecEvent {
    match raw.kind {
        sys::CSN_EXEC_STDOUT => ExecEvent::Stdout(text::bytes(raw.bytes, raw.length)),
        sys::CSN_EXEC_STDERR => ExecEvent::Stderr(text::bytes(raw.bytes, raw.length)),
        _ => ExecEvent::Exit(raw.exit_code),
    }
}

/// `Pending` for "not within the limit".
fn in_time(
    limit: Option<Duration>,
    f: impl FnOnce(c_int, *mut sys::csn_error) -> c_int,
) -> Poll<Result<usize>> {
    let mut pending = false;
    let said = call(|err| {
        let r = f(text::milliseconds(limit), err);
        pending = r == -EAGAIN;
        r
    });
    match said {
        Err(_) if pending => Poll::Pending,
        other => Poll::Ready(other.map(|n| usize::try_from(n).unwrap_or(0))),
    }
}

/// The input of a process that [`Runtime::exec_pty`] has started.
impl ExecStream {
    /// Sends bytes to its input: how many were taken, or `Pending` when none were in time. The
    /// output has to be read meanwhile.
    pub fn write(&mut self, bytes: &[u8], limit: Option<Duration>) -> Poll<Result<usize>> {
        let stream = self.raw.as_ptr();
        // Safety: the stream is ours, and the bytes are there.
        in_time(limit, |ms, err| unsafe {
            sys::csn_exec_stream_write(stream, bytes.as_ptr().cast(), bytes.len(), ms, err)
        })
    }

    /// The end of its input.
    pub fn close_stdin(&mut self, limit: Option<Duration>) -> Poll<Result<()>> {
        let stream = self.raw.as_ptr();
        // Safety: the stream is ours.
        in_time(limit, |ms, err| unsafe {
            sys::csn_exec_stream_close_stdin(stream, ms, err)
        })
        .map(|r| r.map(drop))
    }

    /// The size of its terminal; without one nothing happens.
    pub fn resize(&mut self, rows: u32, columns: u32) -> Result<()> {
        // Safety: the stream is ours.
        call(|err| unsafe { sys::csn_exec_stream_resize(self.raw.as_ptr(), rows, columns, err) })?;
        Ok(())
    }
}

/// A command and how it is run. None and empty: as the container's own process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecOptions {
    /// The program and its arguments; required.
    pub command: Vec<String>,
    /// "NAME=value": more of the environment.
    pub env: Vec<String>,
    /// Where; absolute.
    pub working_dir: Option<String>,
    /// "user\[:group\]".
    pub user: Option<String>,
    /// With a terminal of its own.
    pub tty: bool,
    /// Its input can be written to.
    pub stdin_open: bool,
}

impl ExecOptions {
    fn with_raw<T>(&self, f: impl FnOnce(*const sys::csn_exec_options) -> Result<T>) -> Result<T> {
        let command = text::List::new("command", &self.command)?;
        let env = text::List::new("environment", &self.env)?;
        let working_dir = text::to_c_option("working directory", self.working_dir.as_deref())?;
        let user = text::to_c_option("user", self.user.as_deref())?;
        f(&sys::csn_exec_options {
            size: mem::size_of::<sys::csn_exec_options>(),
            command: command.as_ptr(),
            env: if self.env.is_empty() {
                ptr::null()
            } else {
                env.as_ptr()
            },
            working_dir: text::pointer(&working_dir),
            user: text::pointer(&user),
            tty: self.tty,
            stdin_open: self.stdin_open,
        })
    }
}

/// Processes in a container.
impl Runtime {
    /// Runs a command in the container until it ends; after `limit` it is killed.
    pub fn exec<S: AsRef<OsStr>>(
        &self,
        id: &ContainerId,
        command: &[S],
        limit: Option<Duration>,
    ) -> Result<ExecResult> {
        let argv = text::List::new("command", command)?;
        let (id, ms) = (id.raw(), text::milliseconds(limit));
        let mut raw = ExecResult::empty();
        // Safety, here and below: the handle is open, and what is passed outlives the call.
        call_within(limit, |err| unsafe {
            sys::csn_rt_exec(self.raw(), &id, argv.as_ptr(), ms, &mut raw, err)
        })?;
        Ok(unsafe { ExecResult::take(raw) })
    }

    /// The same as another user, elsewhere, with more in the environment. `tty` and `stdin_open`
    /// are not looked at.
    pub fn exec_with_opts(
        &self,
        id: &ContainerId,
        options: &ExecOptions,
        limit: Option<Duration>,
    ) -> Result<ExecResult> {
        let (id, ms) = (id.raw(), text::milliseconds(limit));
        let mut raw = ExecResult::empty();
        options.with_raw(|options| {
            call_within(limit, |err| unsafe {
                sys::csn_rt_exec_with_opts(self.raw(), &id, options, ms, &mut raw, err)
            })
        })?;
        Ok(unsafe { ExecResult::take(raw) })
    }

    /// The same as [`Runtime::exec`], each piece of output as it comes.
    pub fn exec_stream<S: AsRef<OsStr>>(
        &self,
        id: &ContainerId,
        command: &[S],
    ) -> Result<ExecStream> {
        let argv = text::List::new("command", command)?;
        let mut raw = ptr::null_mut();
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_exec_stream(rt, id, argv.as_ptr(), &mut raw, err)
        })?;
        unsafe { ExecStream::new(raw, self) }
    }

    /// An interactive process, on a terminal of its own with `tty`.
    pub fn exec_pty(&self, id: &ContainerId, options: &ExecOptions) -> Result<ExecStream> {
        let mut raw = ptr::null_mut();
        options.with_raw(|options| {
            self.on(id, |rt, id, err| unsafe {
                sys::csn_rt_exec_pty(rt, id, options, &mut raw, err)
            })
        })?;
        unsafe { ExecStream::new(raw, self) }
    }

    /// Sends all of it to the input of the container's own process.
    pub fn write_stdin(
        &self,
        id: &ContainerId,
        bytes: &[u8],
        limit: Option<Duration>,
    ) -> Result<()> {
        let (id, ms) = (id.raw(), text::milliseconds(limit));
        call_within(limit, |err| unsafe {
            let at = bytes.as_ptr().cast();
            sys::csn_rt_write_stdin(self.raw(), &id, at, bytes.len(), ms, err)
        })?;
        Ok(())
    }

    /// The end of that input.
    pub fn close_stdin(&self, id: &ContainerId) -> Result<()> {
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_close_stdin(rt, id, err)
        })?;
        Ok(())
    }
}
