//! What is known of containers beside their state, and what of them can be changed.
use std::mem;
use std::os::raw::c_int;
use std::ptr;

use crate::error::{call, Result};
use crate::sys;
use crate::text;

/// What a prune has removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PruneResult {
    /// Their names.
    pub deleted: Vec<String>,
    /// What they took on disk, in bytes.
    pub space_reclaimed: u64,
}

impl PruneResult {
    pub(crate) fn of(
        f: impl FnOnce(*mut *mut sys::csn_texts, *mut u64, *mut sys::csn_error) -> c_int,
    ) -> Result<PruneResult> {
        let (mut texts, mut space_reclaimed) = (ptr::null_mut(), 0);
        call(|err| f(&mut texts, &mut space_reclaimed, err))?;
        Ok(PruneResult {
            // Safety: the library has filled it.
            deleted: unsafe { text::take_list(texts) },
            space_reclaimed,
        })
    }
}

/// Where an overlay network is attached to containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OverlayAttachKind {
    /// To their network namespaces.
    HostNetns,
    /// To an address of the host.
    HostIp,
    /// Inside of a guest.
    InGuestVsock,
}

/// A container as the engine knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSummary {
    /// 64 hex digits.
    pub runtime_id: String,
    /// Its label `com.zlayer.container_id`; None: it is not an agent's.
    pub container_id_label: Option<String>,
}

impl ContainerSummary {
    /// # Safety
    /// `list` is null or a list that nobody else frees.
    pub(crate) unsafe fn take(list: *mut sys::csn_container_summaries) -> Vec<ContainerSummary> {
        let summaries = (0..sys::csn_container_summaries_count(list))
            .filter_map(|i| sys::csn_container_summaries_get(list, i).as_ref())
            .map(|raw| ContainerSummary {
                runtime_id: text::from_pointer(raw.runtime_id),
                container_id_label: text::from_pointer_option(raw.container_id_label),
            })
            .collect();
        sys::csn_container_summaries_free(list);
        summaries
    }
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortMapping {
    /// In the container.
    pub container_port: u16,
    /// "tcp", "udp", "sctp".
    pub protocol: String,
    /// "" is every address of the host.
    pub host_ip: String,
    /// None: one will be chosen when the container starts.
    pub host_port: Option<u16>,
}

impl PortMapping {
    /// # Safety
    /// The texts of `raw` are null or end with a 0.
    unsafe fn from_raw(raw: &sys::csn_port_mapping) -> PortMapping {
        PortMapping {
            container_port: raw.container_port,
            protocol: text::from_pointer(raw.protocol),
            host_ip: text::from_pointer(raw.host_ip),
            host_port: Some(raw.host_port).filter(|p| *p != 0),
        }
    }

    /// # Safety
    /// `list` is null or a list that nobody else frees.
    pub(crate) unsafe fn take(list: *mut sys::csn_ports) -> Vec<PortMapping> {
        let ports = (0..sys::csn_ports_count(list))
            .filter_map(|i| sys::csn_ports_get(list, i).as_ref())
            .map(|raw| PortMapping::from_raw(raw))
            .collect();
        sys::csn_ports_free(list);
        ports
    }
}

/// A network that a container is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkAttachmentDetail {
    /// Its name.
    pub network: String,
    /// The container's names there.
    pub aliases: Vec<String>,
    /// The container's address there.
    pub ipv4: Option<String>,
}

/// What health checks have said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthDetail {
    /// "none", "starting", "healthy", "unhealthy".
    pub status: String,
    /// How many failed one after the other.
    pub failing_streak: Option<u32>,
    /// What the last one wrote.
    pub last_output: Option<String>,
}

/// What an inspection tells beside the state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerInspectDetails {
    /// Published ports.
    pub ports: Vec<PortMapping>,
    /// The networks that it is in.
    pub networks: Vec<NetworkAttachmentDetail>,
    /// The first address that it has.
    pub ipv4: Option<String>,
    /// None: it has no health check.
    pub health: Option<HealthDetail>,
    /// Of one that has ended.
    pub exit_code: Option<i32>,
}

impl ContainerInspectDetails {
    /// # Safety
    /// `raw` is null or details that nobody else frees.
    pub(crate) unsafe fn take(raw: *mut sys::csn_container_details) -> ContainerInspectDetails {
        let details = raw
            .as_ref()
            .map_or_else(ContainerInspectDetails::default, |raw| {
                let ports = text::slice(raw.ports, raw.ports_count).iter();
                let networks = text::slice(raw.networks, raw.networks_count).iter();
                ContainerInspectDetails {
                    ports: ports.map(|p| PortMapping::from_raw(p)).collect(),
                    networks: networks
                        .map(|n| NetworkAttachmentDetail {
                            network: text::from_pointer(n.network),
                            aliases: text::list(n.aliases),
                            ipv4: text::from_pointer_option(n.ipv4),
                        })
                        .collect(),
                    ipv4: text::from_pointer_option(raw.ipv4),
                    health: raw.health.as_ref().map(|h| HealthDetail {
                        status: text::from_pointer(h.status),
                        failing_streak: Some(h.failing_streak).filter(|_| h.has_failing_streak),
                        last_output: text::from_pointer_option(h.last_output),
                    }),
                    exit_code: Some(raw.exit_code).filter(|_| raw.has_exit_code),
                }
            });
        sys::csn_container_details_free(raw);
        details
    }
}

/// Limits to change; None leaves one as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerResourceUpdate {
    /// 2 to 262144.
    pub cpu_shares: Option<i64>,
    /// Bytes; 0 and less: no limit.
    pub memory: Option<i64>,
    /// Microseconds.
    pub cpu_period: Option<i64>,
    /// Microseconds; 0 and less: no limit.
    pub cpu_quota: Option<i64>,
    /// Not applied, with a warning.
    pub cpu_realtime_period: Option<i64>,
    /// Not applied, with a warning.
    pub cpu_realtime_runtime: Option<i64>,
    /// "0-1,3".
    pub cpuset_cpus: Option<String>,
    /// "0-1,3".
    pub cpuset_mems: Option<String>,
    /// Bytes; 0 and less: none.
    pub memory_reservation: Option<i64>,
    /// Memory and swap together; -1: no limit.
    pub memory_swap: Option<i64>,
    /// Not applied, with a warning.
    pub kernel_memory: Option<i64>,
    /// 10 to 1000.
    pub blkio_weight: Option<i64>,
    /// 0 and less: no limit.
    pub pids_limit: Option<i64>,
    /// "no", "always", "unless-stopped", "on-failure".
    pub restart_policy: Option<String>,
    /// With on-failure.
    pub restart_maximum_retry_count: Option<i64>,
}

impl ContainerResourceUpdate {
    pub(crate) fn with_raw<T>(
        &self,
        f: impl FnOnce(*const sys::csn_resource_update) -> Result<T>,
    ) -> Result<T> {
        let number = |n: &Option<i64>| n.as_ref().map_or(ptr::null(), |n| n as *const i64);
        let cpus = text::to_c_option("cpuset", self.cpuset_cpus.as_deref())?;
        let mems = text::to_c_option("cpuset", self.cpuset_mems.as_deref())?;
        let restart = text::to_c_option("restart policy", self.restart_policy.as_deref())?;
        f(&sys::csn_resource_update {
            size: mem::size_of::<sys::csn_resource_update>(),
            cpu_shares: number(&self.cpu_shares),
            memory: number(&self.memory),
            cpu_period: number(&self.cpu_period),
            cpu_quota: number(&self.cpu_quota),
            cpu_realtime_period: number(&self.cpu_realtime_period),
            cpu_realtime_runtime: number(&self.cpu_realtime_runtime),
            cpuset_cpus: text::pointer(&cpus),
            cpuset_mems: text::pointer(&mems),
            memory_reservation: number(&self.memory_reservation),
            memory_swap: number(&self.memory_swap),
            kernel_memory: number(&self.kernel_memory),
            blkio_weight: number(&self.blkio_weight),
            pids_limit: number(&self.pids_limit),
            restart_policy: text::pointer(&restart),
            restart_maximum_retry_count: number(&self.restart_maximum_retry_count),
        })
    }
}
