//! Signals, and how a container ended.
use std::fmt;
use std::mem;
use std::os::raw::{c_char, c_int};
use std::ptr;
use std::str::FromStr;
use std::time::SystemTime;

use crate::error::{call, Error, Result};
use crate::sys;
use crate::text;

/// The canonical name of a signal that an agent may send: trimmed, upper case, with SIG in front.
/// [`Error::InvalidSpec`] for anything but SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2.
pub fn validate_signal(signal: &str) -> Result<String> {
    let signal = text::to_c("signal", signal)?;
    let mut name = ptr::null();
    // Safety: the name is a constant text of the library.
    unsafe {
        call(|err| sys::csn_validate_signal(signal.as_ptr(), &mut name, err))?;
        Ok(text::from_pointer(name))
    }
}

/// The name of the signal that an exit code above 128 tells of, by the interface's own table; one
/// that it does not know is "signal_<n>". None up to 128. [`WaitOutcome::signal`] has the true
/// name.
pub fn signal_name_from_exit_code(code: i32) -> Option<String> {
    let mut buffer = [0 as c_char; 24];
    // Safety: the name is a constant text of the library or in the buffer.
    unsafe {
        let name = sys::csn_signal_name_from_exit_code(code, &mut buffer);
        text::from_pointer_option(name)
    }
}

/// Why a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum WaitReason {
    /// By itself.
    Exited = sys::CSN_WAIT_EXITED,
    /// By a signal.
    Signal = sys::CSN_WAIT_SIGNAL,
    /// There was no memory left for it.
    OomKilled = sys::CSN_WAIT_OOM_KILLED,
    /// The program never ran, or its end was not recorded.
    RuntimeError = sys::CSN_WAIT_RUNTIME_ERROR,
}

impl WaitReason {
    /// "exited", "signal", "oom_killed", "runtime_error".
    pub fn as_str(self) -> &'static str {
        match self {
            WaitReason::Exited => "exited",
            WaitReason::Signal => "signal",
            WaitReason::OomKilled => "oom_killed",
            WaitReason::RuntimeError => "runtime_error",
        }
    }

    /// The reason as JSON: its name in quotes.
    pub fn to_json(self) -> String {
        format!("\"{self}\"")
    }

    fn from_raw(raw: sys::csn_wait_reason) -> WaitReason {
        match raw {
            sys::CSN_WAIT_EXITED => WaitReason::Exited,
            sys::CSN_WAIT_SIGNAL => WaitReason::Signal,
            sys::CSN_WAIT_OOM_KILLED => WaitReason::OomKilled,
            _ => WaitReason::RuntimeError,
        }
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for WaitReason {
    type Err = Error;

    /// By its name.
    fn from_str(name: &str) -> Result<WaitReason> {
        let name = text::to_c("wait reason", name)?;
        let mut raw = sys::CSN_WAIT_EXITED;
        // Safety: both outlive the call.
        call(|err| unsafe { sys::csn_wait_reason_parse(name.as_ptr(), &mut raw, err) })?;
        Ok(WaitReason::from_raw(raw))
    }
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum WaitCondition {
    /// Until it does not run.
    NotRunning = sys::CSN_WAIT_NOT_RUNNING,
    /// Its next end, also of one that does not run now.
    NextExit = sys::CSN_WAIT_NEXT_EXIT,
    /// Until it is removed.
    Removed = sys::CSN_WAIT_REMOVED,
}

impl WaitCondition {
    /// "not-running", "next-exit", "removed".
    pub fn as_str(self) -> &'static str {
        match self {
            WaitCondition::NotRunning => "not-running",
            WaitCondition::NextExit => "next-exit",
            WaitCondition::Removed => "removed",
        }
    }

    fn from_raw(raw: sys::csn_wait_condition) -> WaitCondition {
        match raw {
            sys::CSN_WAIT_NEXT_EXIT => WaitCondition::NextExit,
            sys::CSN_WAIT_REMOVED => WaitCondition::Removed,
            _ => WaitCondition::NotRunning,
        }
    }
}

impl FromStr for WaitCondition {
    type Err = Error;

    /// By its name; "" is the first one.
    fn from_str(name: &str) -> Result<WaitCondition> {
        let name = text::to_c("wait condition", name)?;
        let mut raw = sys::CSN_WAIT_NOT_RUNNING;
        // Safety: both outlive the call.
        call(|err| unsafe { sys::csn_wait_condition_parse(name.as_ptr(), &mut raw, err) })?;
        Ok(WaitCondition::from_raw(raw))
    }
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitOutcome {
    /// 0 to 255; 128+N for signal N.
    pub exit_code: i32,
    /// Why it ended.
    pub reason: WaitReason,
    /// "SIGKILL", with [`WaitReason::Signal`].
    pub signal: Option<String>,
    /// There is a core file.
    pub core_dumped: bool,
    /// Processes that ended because no memory was left.
    pub oom_kills: u64,
    /// The most memory that it had, in bytes.
    pub memory_peak_bytes: Option<u64>,
    /// When it was started.
    pub started_at: Option<SystemTime>,
    /// When it ended.
    pub finished_at: Option<SystemTime>,
    /// The sentence, with [`WaitReason::RuntimeError`].
    pub error: Option<String>,
}

impl WaitOutcome {
    /// An end of which only the exit code is known.
    pub fn exited(code: i32) -> WaitOutcome {
        WaitOutcome {
            exit_code: code,
            ..WaitOutcome::from_raw(&WaitOutcome::empty())
        }
    }

    /// `{"exit_code":…,"reason":…,"signal":…,"finished_at":…}`, the last two null where there is
    /// nothing to tell.
    pub fn to_json(&self) -> Result<String> {
        let mut raw = WaitOutcome::empty();
        raw.exit_code = self.exit_code;
        raw.reason = self.reason as sys::csn_wait_reason;
        raw.finished_at_ns = text::time_ns(self.finished_at);
        if let Some(signal) = &self.signal {
            text::into_array(signal, &mut raw.signal_name);
        }
        let mut json = ptr::null_mut();
        // Safety: the text is the library's until it is taken.
        unsafe {
            call(|err| sys::csn_wait_outcome_to_json(&raw, &mut json, err))?;
            Ok(text::take(json))
        }
    }

    /// The opposite of [`WaitOutcome::to_json`].
    pub fn from_json(json: &str) -> Result<WaitOutcome> {
        let mut raw = WaitOutcome::empty();
        // Safety: the text has that length.
        call(|err| unsafe {
            sys::csn_wait_outcome_from_json(json.as_ptr().cast(), json.len(), &mut raw, err)
        })?;
        Ok(WaitOutcome::from_raw(&raw))
    }

    pub(crate) fn empty() -> sys::csn_wait_outcome {
        sys::csn_wait_outcome {
            size: mem::size_of::<sys::csn_wait_outcome>(),
            exit_code: 0,
            reason: sys::CSN_WAIT_EXITED,
            signal: 0 as c_int,
            signal_name: [0; 24],
            core_dumped: false,
            oom_kills: 0,
            memory_peak_bytes: 0,
            started_at_ns: 0,
            finished_at_ns: 0,
            error: [0; 256],
        }
    }

    pub(crate) fn from_raw(raw: &sys::csn_wait_outcome) -> WaitOutcome {
        let said = |array: &[c_char]| Some(text::from_array(array)).filter(|t| !t.is_empty());
        WaitOutcome {
            exit_code: raw.exit_code,
            reason: WaitReason::from_raw(raw.reason),
            signal: said(&raw.signal_name),
            core_dumped: raw.core_dumped,
            oom_kills: raw.oom_kills,
            memory_peak_bytes: Some(raw.memory_peak_bytes).filter(|n| *n != 0),
            started_at: text::time(raw.started_at_ns),
            finished_at: text::time(raw.finished_at_ns),
            error: said(&raw.error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_librarys() {
        for raw in sys::CSN_WAIT_EXITED..=sys::CSN_WAIT_RUNTIME_ERROR {
            // Safety: a constant text of the library.
            let name = unsafe { text::from_pointer(sys::csn_wait_reason_name(raw)) };
            assert_eq!(WaitReason::from_raw(raw).to_string(), name);
            assert_eq!(WaitReason::from_raw(raw) as sys::csn_wait_reason, raw);
        }
        for raw in sys::CSN_WAIT_NOT_RUNNING..=sys::CSN_WAIT_REMOVED {
            // Safety: a constant text of the library.
            let name = unsafe { text::from_pointer(sys::csn_wait_condition_name(raw)) };
            assert_eq!(WaitCondition::from_raw(raw).as_str(), name);
            assert_eq!(name.parse(), Ok(WaitCondition::from_raw(raw)));
        }
    }
}
