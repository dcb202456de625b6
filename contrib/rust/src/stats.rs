//! Numbers of a running container.
use std::mem;
use std::ptr;
use std::time::{Duration, SystemTime};

use crate::error::Result;
use crate::id::ContainerId;
use crate::runtime::Runtime;
use crate::stream::stream;
use crate::sys;
use crate::text;

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

/// Counters of a container since its start; 0 for what is not counted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatsSample {
    /// CPU time of the container.
    pub cpu_total_ns: u64,
    /// CPU time of the whole host, idle time and all.
    pub cpu_system_ns: u64,
    /// Processors on which it may run.
    pub online_cpus: u32,
    /// Memory in use.
    pub mem_used_bytes: u64,
    /// What it may use; 0: no limit.
    pub mem_limit_bytes: u64,
    /// Received from networks.
    pub net_rx_bytes: u64,
    /// Sent to networks.
    pub net_tx_bytes: u64,
    /// Read from block devices.
    pub blkio_read_bytes: u64,
    /// Written to block devices.
    pub blkio_write_bytes: u64,
    /// Processes and threads.
    pub pids_current: u64,
    /// How many there may be; None: no limit.
    pub pids_limit: Option<u64>,
    /// When.
    pub timestamp: SystemTime,
}

impl StatsSample {
    fn empty() -> sys::csn_stats_sample {
        sys::csn_stats_sample {
            size: mem::size_of::<sys::csn_stats_sample>(),
            cpu_total_ns: 0,
            cpu_system_ns: 0,
            online_cpus: 0,
            mem_used_bytes: 0,
            mem_limit_bytes: 0,
            net_rx_bytes: 0,
            net_tx_bytes: 0,
            blkio_read_bytes: 0,
            blkio_write_bytes: 0,
            pids_current: 0,
            pids_limit: 0,
            timestamp_ns: 0,
        }
    }

    fn raw(&self) -> sys::csn_stats_sample {
        sys::csn_stats_sample {
            cpu_total_ns: self.cpu_total_ns,
            cpu_system_ns: self.cpu_system_ns,
            online_cpus: self.online_cpus,
            mem_used_bytes: self.mem_used_bytes,
            mem_limit_bytes: self.mem_limit_bytes,
            net_rx_bytes: self.net_rx_bytes,
            net_tx_bytes: self.net_tx_bytes,
            blkio_read_bytes: self.blkio_read_bytes,
            blkio_write_bytes: self.blkio_write_bytes,
            pids_current: self.pids_current,
            pids_limit: self.pids_limit.unwrap_or(0),
            timestamp_ns: text::time_ns(Some(self.timestamp)),
            ..StatsSample::empty()
        }
    }

    fn from_raw(raw: &sys::csn_stats_sample) -> StatsSample {
        StatsSample {
            cpu_total_ns: raw.cpu_total_ns,
            cpu_system_ns: raw.cpu_system_ns,
            online_cpus: raw.online_cpus,
            mem_used_bytes: raw.mem_used_bytes,
            mem_limit_bytes: raw.mem_limit_bytes,
            net_rx_bytes: raw.net_rx_bytes,
            net_tx_bytes: raw.net_tx_bytes,
            blkio_read_bytes: raw.blkio_read_bytes,
            blkio_write_bytes: raw.blkio_write_bytes,
            pids_current: raw.pids_current,
            pids_limit: Some(raw.pids_limit).filter(|n| *n != 0),
            timestamp: text::time(raw.timestamp_ns).unwrap_or(SystemTime::UNIX_EPOCH),
        }
    }
}

stream! {
    /// Samples of a container until it ends.
    StatsStream of StatsSample,
    csn_sample_stream, csn_sample_stream_next, csn_sample_stream_fd, csn_sample_stream_close,
    StatsSample::empty(), sample
}

/// # Safety
/// None is needed; the streams' events are made by functions of one kind.
unsafe fn sample(raw: &sys::csn_stats_sample) -> StatsSample {
    StatsSample::from_raw(raw)
}

/// Numbers of containers.
impl Runtime {
    /// A sample of its use.
    pub fn get_container_stats(&self, id: &ContainerId) -> Result<Stats> {
        let mut raw = Stats::empty();
        // Safety, here and below: the handle is open, and what is passed outlives the call.
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_get_container_stats(rt, id, &mut raw, err)
        })?;
        Ok(Stats::from_raw(&raw))
    }

    /// A sample at once and one each interval (zero: a second) until the container ends.
    pub fn stats_stream(&self, id: &ContainerId, interval: Duration) -> Result<StatsStream> {
        let ms = text::milliseconds(Some(interval));
        let mut raw = ptr::null_mut();
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_stats_stream(rt, id, ms, &mut raw, err)
        })?;
        unsafe { StatsStream::new(raw, self) }
    }

    /// A mock's next sample of that container; behind the queued ones its stream ends.
    pub fn mock_queue_sample(&self, id: &ContainerId, sample: &StatsSample) -> Result<()> {
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_mock_queue_sample(rt, id, &sample.raw(), err)
        })?;
        Ok(())
    }
}
