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

mod error;
mod exec;
mod id;
mod image;
mod log;
mod outcome;
mod runtime;
mod service;
mod state;
mod stats;
pub mod sys;
mod text;

pub use error::{Error, Result};
pub use exec::{ExecEvent, ExecResult, ExecStream};
pub use id::ContainerId;
pub use image::{ImageInfo, PullPolicy, RegistryAuth, TlsVerify};
pub use log::{LogEntry, LogSource, LogStream};
pub use outcome::{signal_name_from_exit_code, validate_signal, WaitOutcome, WaitReason};
pub use runtime::{Config, Runtime};
pub use service::{Format, Service};
pub use state::ContainerState;
pub use stats::{cpu_percent, Stats};

/// The version of the library that is linked, "0.1.0".
pub fn version() -> String {
    // Safety: a constant text of the library.
    unsafe { text::from_pointer(sys::csn_version()) }
}
