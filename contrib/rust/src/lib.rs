//! Containers for a host agent: safe types over libcaisson's Runtime interface.
//!
//! A [`Runtime`] is native (real containers; needs root) or a mock (from memory). A container is a
//! replica of a service, known by its [`ContainerId`]; what it runs is a [`Service`], decoded and
//! checked by the library.
//!
//! ```
//! use caisson::{ContainerId, ContainerState, Runtime, Service};
//!
//! # fn main() -> caisson::Result<()> {
//! let runtime = Runtime::mock()?;
//! let service = Service::from_yaml("image: {name: 'test:latest'}\nrtype: service\n")?;
//! let id = ContainerId::new("web", 1)?;
//! runtime.pull_image("test:latest")?;
//! runtime.create_container(&id, &service)?;
//! runtime.start_container(&id)?;
//! assert_eq!(runtime.container_state(&id)?, ContainerState::Running);
//! # Ok(())
//! # }
//! ```
//!
//! Every call that waits takes a limit, `None` being none, and has something that can be polled
//! instead: [`Runtime::wait_fd`], and [`std::os::unix::io::AsFd`] of the streams. Nothing here
//! starts a thread, changes the process, or prints.
//!
//! The crate needs libcaisson and nothing else; `build.rs` tells how that is found.
#![deny(missing_docs)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod details;
mod error;
mod exec;
mod files;
mod id;
mod image;
mod image_details;
mod log;
mod options;
mod outcome;
mod progress;
mod runtime;
mod service;
mod state;
mod stats;
mod stream;
pub mod sys;
mod text;

pub use details::{
    ContainerInspectDetails, ContainerResourceUpdate, ContainerSummary, HealthDetail,
    NetworkAttachmentDetail, OverlayAttachKind, PortMapping, PruneResult,
};
pub use error::{Error, Result};
pub use exec::{ExecEvent, ExecOptions, ExecResult, ExecStream};
pub use files::{ArchivePutOptions, Change, ChangeKind, PathStat, Top};
pub use id::ContainerId;
pub use image::{ImageInfo, PullPolicy, RegistryAuth, TlsVerify};
pub use image_details::{CommitOptions, ImageDetails, ImageHistoryEntry};
pub use log::{LogChunk, LogEntry, LogSource, LogStream, LogsStream, LogsStreamOptions};
pub use options::{ContainerAuthContext, Options, Secret, SecretFn, WarnFn};
pub use outcome::{
    signal_name_from_exit_code, validate_signal, WaitCondition, WaitOutcome, WaitReason,
};
pub use progress::{Progress, ProgressStream};
pub use runtime::{Config, Runtime};
pub use service::{Format, Service};
pub use state::ContainerState;
pub use stats::{cpu_percent, Stats, StatsSample, StatsStream};

/// The version of the library that is linked, "0.1.0".
pub fn version() -> String {
    // Safety: a constant text of the library.
    unsafe { text::from_pointer(sys::csn_version()) }
}
