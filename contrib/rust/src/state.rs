//! What a container does.
use std::fmt;

use crate::sys;
use crate::text;

/// What a container does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerState {
    /// Made, not started.
    Pending,
    /// Being started.
    Initializing,
    /// Runs, or is paused.
    Running,
    /// Asked to stop, and still there.
    Stopping,
    /// Has ended.
    Exited {
        /// 0 to 255; 128+N for signal N.
        code: i32,
    },
    /// Could not be started, or its end was not recorded.
    Failed {
        /// Why.
        reason: String,
    },
}

impl ContainerState {
    /// "pending", "initializing", "running", "stopping", "exited", "failed".
    pub fn as_str(&self) -> &'static str {
        match self {
            ContainerState::Pending => "pending",
            ContainerState::Initializing => "initializing",
            ContainerState::Running => "running",
            ContainerState::Stopping => "stopping",
            ContainerState::Exited { .. } => "exited",
            ContainerState::Failed { .. } => "failed",
        }
    }

    pub(crate) fn from_raw(raw: &sys::csn_container_state) -> ContainerState {
        match raw.state {
            sys::CSN_STATE_PENDING => ContainerState::Pending,
            sys::CSN_STATE_INITIALIZING => ContainerState::Initializing,
            sys::CSN_STATE_RUNNING => ContainerState::Running,
            sys::CSN_STATE_STOPPING => ContainerState::Stopping,
            sys::CSN_STATE_EXITED => ContainerState::Exited {
                code: raw.exit_code,
            },
            _ => ContainerState::Failed {
                reason: text::from_array(&raw.reason),
            },
        }
    }
}

impl fmt::Display for ContainerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_librarys() {
        for state in sys::CSN_STATE_PENDING..=sys::CSN_STATE_FAILED {
            let raw = sys::csn_container_state {
                size: 0,
                state,
                exit_code: 3,
                paused: false,
                reason: [0; 256],
            };
            // Safety: a constant text of the library.
            let name = unsafe { text::from_pointer(sys::csn_state_name(state)) };
            assert_eq!(ContainerState::from_raw(&raw).to_string(), name);
        }
    }
}
