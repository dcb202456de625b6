//! Numbers of a running container.
use std::mem;
use std::time::Duration;

use crate::sys;

/// A sample of a container's use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// CPU time so far, in microseconds.
    pub cpu_usage_usec: u64,
    /// Memory in use, in bytes.
    pub memory_bytes: u64,
    /// What it may use, in bytes; `u64::MAX`: no limit.
    pub memory_limit: u64,
    /// When: the time of the monotonic clock.
    pub timestamp: Duration,
}

impl Stats {
    /// Memory in use, of the limit, 0 to 100; 0 without a limit.
    pub fn memory_percent(&self) -> f64 {
        // Safety: a struct of ours.
        unsafe { sys::csn_memory_percent(&self.raw()) }
    }

    pub(crate) fn empty() -> sys::csn_rt_stats {
        sys::csn_rt_stats {
            size: mem::size_of::<sys::csn_rt_stats>(),
            cpu_usage_usec: 0,
            memory_bytes: 0,
            memory_limit: 0,
            timestamp_ns: 0,
        }
    }

    fn raw(&self) -> sys::csn_rt_stats {
        sys::csn_rt_stats {
            cpu_usage_usec: self.cpu_usage_usec,
            memory_bytes: self.memory_bytes,
            memory_limit: self.memory_limit,
            timestamp_ns: i64::try_from(self.timestamp.as_nanos()).unwrap_or(i64::MAX),
            ..Stats::empty()
        }
    }

    pub(crate) fn from_raw(raw: &sys::csn_rt_stats) -> Stats {
        Stats {
            cpu_usage_usec: raw.cpu_usage_usec,
            memory_bytes: raw.memory_bytes,
            memory_limit: raw.memory_limit,
            timestamp: Duration::from_nanos(u64::try_from(raw.timestamp_ns).unwrap_or(0)),
        }
    }
}

/// CPU use between two samples, of `cpus` processors, 0 to 100; 0 without time or processors, or
/// after a reset of the counter.
pub fn cpu_percent(previous: &Stats, current: &Stats, cpus: u32) -> f64 {
    // Safety: structs of ours.
    unsafe { sys::csn_cpu_percent(&previous.raw(), &current.raw(), cpus) }
}
