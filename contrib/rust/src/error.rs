//! What can go wrong.
use std::fmt;
use std::io;
use std::os::raw::{c_char, c_int};
use std::time::Duration;

use crate::sys;
use crate::text;

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure, one variant for each kind of the Runtime interface. Its text is the sentence that
/// agents show.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There is no such container (or image).
    NotFound {
        /// Its id, or the image's name.
        container: String,
        /// More about it.
        reason: String,
    },
    /// An image could not be pulled.
    PullFailed {
        /// Its name.
        image: String,
        /// Why.
        reason: String,
    },
    /// A container could not be made.
    CreateFailed {
        /// Its id.
        id: String,
        /// Why.
        reason: String,
    },
    /// A container could not be started.
    StartFailed {
        /// Its id.
        id: String,
        /// Why.
        reason: String,
    },
    /// A container ended that should not have.
    UnexpectedExit {
        /// Its id.
        id: String,
        /// Its exit code.
        code: i32,
    },
    /// A health check said no.
    HealthCheckFailed {
        /// The container's id.
        id: String,
        /// Why.
        reason: String,
    },
    /// A step that comes before the start of a container failed.
    InitActionFailed {
        /// The container's id.
        id: String,
        /// Why.
        reason: String,
    },
    /// The time that the caller gave is over.
    Timeout {
        /// That time.
        timeout: Duration,
    },
    /// A service that another one needs did not come up in time.
    DependencyTimeout {
        /// Which, and for whom.
        reason: String,
    },
    /// What was asked for cannot be.
    InvalidSpec(String),
    /// Networking failed.
    Network(String),
    /// The host is not set up for it.
    Configuration(String),
    /// Anything else.
    Internal(String),
    /// The runtime has no such operation.
    Unsupported(String),
    /// A failure without a kind.
    Other {
        /// The errno value.
        errno: i32,
        /// The sentence.
        text: String,
    },
}

impl Error {
    /// "not_found", "pull_failed", …
    pub fn kind_name(&self) -> String {
        // Safety: a constant text of the library.
        unsafe { text::from_pointer(sys::csn_error_kind_name(self.kind())) }
    }

    fn kind(&self) -> sys::csn_error_kind {
        match self {
            Error::NotFound { .. } => sys::CSN_ERROR_NOT_FOUND,
            Error::PullFailed { .. } => sys::CSN_ERROR_PULL_FAILED,
            Error::CreateFailed { .. } => sys::CSN_ERROR_CREATE_FAILED,
            Error::StartFailed { .. } => sys::CSN_ERROR_START_FAILED,
            Error::UnexpectedExit { .. } => sys::CSN_ERROR_UNEXPECTED_EXIT,
            Error::HealthCheckFailed { .. } => sys::CSN_ERROR_HEALTH_CHECK_FAILED,
            Error::InitActionFailed { .. } => sys::CSN_ERROR_INIT_ACTION_FAILED,
            Error::Timeout { .. } => sys::CSN_ERROR_TIMEOUT,
            Error::DependencyTimeout { .. } => sys::CSN_ERROR_DEPENDENCY_TIMEOUT,
            Error::InvalidSpec(_) => sys::CSN_ERROR_INVALID_SPEC,
            Error::Network(_) => sys::CSN_ERROR_NETWORK,
            Error::Configuration(_) => sys::CSN_ERROR_CONFIGURATION,
            Error::Internal(_) => sys::CSN_ERROR_INTERNAL,
            Error::Unsupported(_) => sys::CSN_ERROR_UNSUPPORTED,
            Error::Other { .. } => sys::CSN_ERROR_NONE,
        }
    }

    /// What the library told; `limit` is the caller's.
    fn from_raw(r: c_int, err: &sys::csn_error, limit: Option<Duration>) -> Error {
        let mut size = 0;
        // Safety: both point into err and end inside of it.
        let (subject, reason) = unsafe {
            let at = sys::csn_error_subject(err, &mut size);
            let subject = text::bytes(at, size);
            (subject, text::from_pointer(sys::csn_error_reason(err)))
        };
        let id = String::from_utf8_lossy(&subject).into_owned();
        match err.kind {
            sys::CSN_ERROR_NOT_FOUND => Error::NotFound {
                container: id,
                reason,
            },
            sys::CSN_ERROR_PULL_FAILED => Error::PullFailed { image: id, reason },
            sys::CSN_ERROR_CREATE_FAILED => Error::CreateFailed { id, reason },
            sys::CSN_ERROR_START_FAILED => Error::StartFailed { id, reason },
            sys::CSN_ERROR_UNEXPECTED_EXIT => Error::UnexpectedExit {
                id,
                code: reason.parse().unwrap_or(-1),
            },
            sys::CSN_ERROR_HEALTH_CHECK_FAILED => Error::HealthCheckFailed { id, reason },
            sys::CSN_ERROR_INIT_ACTION_FAILED => Error::InitActionFailed { id, reason },
            sys::CSN_ERROR_TIMEOUT => Error::Timeout {
                timeout: limit.unwrap_or_default(),
            },
            sys::CSN_ERROR_DEPENDENCY_TIMEOUT => Error::DependencyTimeout { reason },
            sys::CSN_ERROR_INVALID_SPEC => Error::InvalidSpec(reason),
            sys::CSN_ERROR_NETWORK => Error::Network(reason),
            sys::CSN_ERROR_CONFIGURATION => Error::Configuration(reason),
            sys::CSN_ERROR_INTERNAL => Error::Internal(reason),
            sys::CSN_ERROR_UNSUPPORTED => Error::Unsupported(reason),
            _ => Error::Other {
                errno: -r,
                text: text::from_array(&err.text),
            },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotFound { container, reason } => {
                write!(f, "Container '{container}' not found: {reason}")
            }
            Error::PullFailed { image, reason } => {
                write!(f, "Failed to pull image '{image}': {reason}")
            }
            Error::CreateFailed { id, reason } => {
                write!(f, "Failed to create container '{id}': {reason}")
            }
            Error::StartFailed { id, reason } => {
                write!(f, "Failed to start container '{id}': {reason}")
            }
            Error::UnexpectedExit { id, code } => {
                write!(f, "Container '{id}' exited unexpectedly with code {code}")
            }
            Error::HealthCheckFailed { id, reason } => {
                write!(f, "Health check failed for '{id}': {reason}")
            }
            Error::InitActionFailed { id, reason } => {
                write!(f, "Init action failed for '{id}': {reason}")
            }
            Error::Timeout { timeout } => write!(f, "Timeout after {timeout:?}"),
            Error::DependencyTimeout { reason } => write!(f, "Dependency timeout: {reason}"),
            Error::InvalidSpec(reason) => write!(f, "Invalid spec: {reason}"),
            Error::Network(reason) => write!(f, "Network error: {reason}"),
            Error::Configuration(reason) => write!(f, "Configuration error: {reason}"),
            Error::Internal(reason) => write!(f, "Internal error: {reason}"),
            Error::Unsupported(reason) => {
                write!(f, "Operation not supported by this runtime: {reason}")
            }
            Error::Other { text, .. } => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        let kind = match error {
            Error::NotFound { .. } => io::ErrorKind::NotFound,
            Error::Timeout { .. } | Error::DependencyTimeout { .. } => io::ErrorKind::TimedOut,
            Error::InvalidSpec(_) => io::ErrorKind::InvalidInput,
            Error::Unsupported(_) => io::ErrorKind::Unsupported,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

/// Calls the library, with a place for its sentence: a number from 0 on, or the failure.
pub(crate) fn call(f: impl FnOnce(*mut sys::csn_error) -> c_int) -> Result<c_int> {
    call_within(None, f)
}

/// As `call`, of something that ends after `limit`.
pub(crate) fn call_within(
    limit: Option<Duration>,
    f: impl FnOnce(*mut sys::csn_error) -> c_int,
) -> Result<c_int> {
    let mut err = sys::csn_error {
        code: 0,
        kind: sys::CSN_ERROR_NONE,
        subject_at: 0,
        subject_size: 0,
        reason_at: 0,
        text: [0 as c_char; 498],
    };
    match f(&mut err) {
        r if r < 0 => Err(Error::from_raw(r, &err, limit)),
        r => Ok(r),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error as the library words it.
    fn told(kind: sys::csn_error_kind, subject: &str, text: &str, reason: &str) -> sys::csn_error {
        let at = |part: &str| text.find(part).map_or(0, |n| n as u16);
        let mut err = sys::csn_error {
            code: 5,
            kind,
            subject_at: at(subject),
            subject_size: subject.len() as u16,
            reason_at: at(reason),
            text: [0; 498],
        };
        text::into_array(text, &mut err.text);
        err
    }

    /// Each kind keeps its name and its text on the way through.
    #[test]
    fn every_kind_has_its_text() {
        let rows = [
            (
                "not_found",
                "web-rep-1",
                "Container 'web-rep-1' not found: why",
            ),
            ("pull_failed", "a:b", "Failed to pull image 'a:b': why"),
            ("create_failed", "w", "Failed to create container 'w': why"),
            ("start_failed", "w", "Failed to start container 'w': why"),
            (
                "unexpected_exit",
                "w",
                "Container 'w' exited unexpectedly with code 7",
            ),
            (
                "health_check_failed",
                "w",
                "Health check failed for 'w': why",
            ),
            ("init_action_failed", "w", "Init action failed for 'w': why"),
            ("timeout", "", "Timeout after 1.5s"),
            ("dependency_timeout", "", "Dependency timeout: why"),
            ("invalid_spec", "", "Invalid spec: why"),
            ("network", "", "Network error: why"),
            ("configuration", "", "Configuration error: why"),
            ("internal", "", "Internal error: why"),
            (
                "unsupported",
                "",
                "Operation not supported by this runtime: why",
            ),
        ];
        for (i, (name, subject, sentence)) in rows.iter().enumerate() {
            let quoted = format!("'{subject}'");
            let reason = if sentence.ends_with('7') { "7" } else { "why" };
            let mut err = told(i as u32 + 1, &quoted, sentence, reason);
            if subject.is_empty() {
                err.subject_size = 0;
            } else {
                err.subject_at += 1;
                err.subject_size -= 2;
            }
            let error = Error::from_raw(-5, &err, Some(Duration::from_millis(1500)));
            assert_eq!(error.to_string(), *sentence);
            assert_eq!(error.kind_name(), *name);
        }
        let other = Error::from_raw(-5, &told(0, "", "cannot open", ""), None);
        assert_eq!(other.to_string(), "cannot open");
        assert_eq!(other.kind_name(), "none");
    }

    #[test]
    fn it_is_an_io_error_where_one_is_wanted() {
        let error = io::Error::from(Error::Timeout {
            timeout: Duration::from_secs(1),
        });
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "Timeout after 1s");
    }
}
