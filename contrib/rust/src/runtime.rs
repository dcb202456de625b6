//! The runtime: a method for each of the interface's operations.
use std::ffi::CString;
use std::fmt;
use std::mem;
use std::net::IpAddr;
use std::os::raw::{c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::io::{FromRawFd, OwnedFd};
use std::path::PathBuf;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use crate::details::{
    ContainerInspectDetails, ContainerResourceUpdate, ContainerSummary, OverlayAttachKind,
    PortMapping, PruneResult,
};
use crate::error::{call, call_within, Error, Result};
use crate::id::ContainerId;
use crate::options::Options;
use crate::outcome::{WaitCondition, WaitOutcome};
use crate::service::Service;
use crate::state::ContainerState;
use crate::sys;
use crate::text;

/// Where a native runtime keeps its things.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Images and containers; None: /var/lib/caisson.
    pub root: Option<PathBuf>,
    /// What dies at reboot; None: /run/caisson-engine.
    pub run_root: Option<PathBuf>,
}

/// The library's handle, closed when the last of those who share it is gone.
struct Handle {
    raw: NonNull<sys::csn_rt>,
    /// Where the library finds the agent's functions; dropped after the handle is closed.
    options: Box<Options>,
}

// Safety: any number of threads may share a handle (caisson-runtime.h), and may close it.
unsafe impl Send for Handle {}
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // Safety: no clone and no stream of it is left, so no other call is under way.
        unsafe { sys::csn_rt_close(self.raw.as_ptr()) }
    }
}

/// A runtime. Clones share it, and it is closed with the last of them and of its streams;
/// containers go on running.
#[derive(Clone)]
pub struct Runtime {
    handle: Arc<Handle>,
}

impl Runtime {
    /// Real containers; needs root.
    pub fn native(config: &Config) -> Result<Runtime> {
        Runtime::native_with(config, Options::default())
    }

    /// The same with an agent's own network, secrets and ear for warnings.
    pub fn native_with(config: &Config, options: Options) -> Result<Runtime> {
        let path = |what, path: &Option<PathBuf>| -> Result<Option<CString>> {
            let path = path.as_ref().map(|p| p.as_os_str().as_bytes());
            path.map(|p| text::to_c(what, p)).transpose()
        };
        let root = path("root", &config.root)?;
        let run_root = path("run root", &config.run_root)?;
        let config = sys::csn_config {
            size: mem::size_of::<sys::csn_config>(),
            root: text::pointer(&root),
            run_root: text::pointer(&run_root),
        };
        Runtime::open(options, |ret, err| unsafe {
            sys::csn_rt_open_native(&config, ret, err)
        })
    }

    /// No containers at all: answers as the interface's mock does, from memory.
    pub fn mock() -> Result<Runtime> {
        Runtime::open(Options::default(), |ret, err| unsafe {
            sys::csn_rt_open_mock(ret, err)
        })
    }

    /// The mock without all that has a default: what an agent meets in a runtime that can do the
    /// least.
    pub fn bare() -> Result<Runtime> {
        Runtime::open(Options::default(), |ret, err| unsafe {
            sys::csn_rt_open_bare(ret, err)
        })
    }

    fn open(
        options: Options,
        f: impl FnOnce(*mut *mut sys::csn_rt, *mut sys::csn_error) -> c_int,
    ) -> Result<Runtime> {
        let mut raw = ptr::null_mut();
        call(|err| f(&mut raw, err))?;
        let raw = NonNull::new(raw).ok_or_else(|| Error::Internal("no runtime".into()))?;
        let runtime = Runtime {
            handle: Arc::new(Handle {
                raw,
                options: Box::new(options),
            }),
        };
        // Safety: the handle is new, so no other call is under way.
        runtime.handle.options.with_raw(|options| {
            call(|err| unsafe { sys::csn_rt_configure(runtime.raw(), options, err) })
        })?;
        Ok(runtime)
    }

    pub(crate) fn raw(&self) -> *mut sys::csn_rt {
        self.handle.raw.as_ptr()
    }

    /// Calls an operation on a container.
    pub(crate) fn on(
        &self,
        id: &ContainerId,
        f: impl FnOnce(*mut sys::csn_rt, *const sys::csn_container_id, *mut sys::csn_error) -> c_int,
    ) -> Result<c_int> {
        let id = id.raw();
        call(|err| f(self.raw(), &id, err))
    }

    /// Where an overlay network is attached to its containers.
    pub fn overlay_attach_kind(&self) -> OverlayAttachKind {
        // Safety: the handle is open.
        match unsafe { sys::csn_rt_overlay_attach_kind(self.raw()) } {
            sys::CSN_OVERLAY_HOST_IP => OverlayAttachKind::HostIp,
            sys::CSN_OVERLAY_IN_GUEST_VSOCK => OverlayAttachKind::InGuestVsock,
            _ => OverlayAttachKind::HostNetns,
        }
    }

    /// "native", "mock", "bare".
    pub fn name(&self) -> String {
        // Safety: a constant text of the library.
        unsafe { text::from_pointer(sys::csn_rt_name(self.raw())) }
    }

    /// The engine behind a native runtime, for the rest of the C library: it is this runtime's, and
    /// knows each container by the text of its id.
    pub fn engine(&self) -> Option<NonNull<sys::csn_runtime>> {
        // Safety: the handle is open.
        NonNull::new(unsafe { sys::csn_rt_engine(self.raw()) })
    }

    // ---- life ----------------------------------------------------------------------------------

    /// Makes a container that can be started; its state is pending. One of the same id that was
    /// left over is stopped (5 s) and removed first.
    pub fn create_container(&self, id: &ContainerId, service: &Service) -> Result<()> {
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_create_container(rt, id, service.as_ptr(), err)
        })?;
        Ok(())
    }

    /// Runs it; one that has ended runs again on the same files.
    pub fn start_container(&self, id: &ContainerId) -> Result<()> {
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_start_container(rt, id, err)
        })?;
        Ok(())
    }

    /// Its stop signal to its first process, up to `timeout`, then SIGKILL to all, until they are
    /// gone. Fine also when it does not run.
    pub fn stop_container(&self, id: &ContainerId, timeout: Duration) -> Result<()> {
        let ms = text::milliseconds(Some(timeout));
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_stop_container(rt, id, ms, err)
        })?;
        Ok(())
    }

    /// Kills it if it runs and removes all of it. Fine also when there is none.
    pub fn remove_container(&self, id: &ContainerId) -> Result<()> {
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_remove_container(rt, id, err)
        })?;
        Ok(())
    }

    /// Sends a signal (see [`crate::validate_signal`]) to its first process; None: SIGKILL.
    pub fn kill_container(&self, id: &ContainerId, signal: Option<&str>) -> Result<()> {
        let signal = text::to_c_option("signal", signal)?;
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_kill_container(rt, id, text::pointer(&signal), err)
        })?;
        Ok(())
    }

    /// Freezes all its processes; its state stays running.
    pub fn pause_container(&self, id: &ContainerId) -> Result<()> {
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_pause_container(rt, id, err)
        })?;
        Ok(())
    }

    /// Lets them go on.
    pub fn unpause_container(&self, id: &ContainerId) -> Result<()> {
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_unpause_container(rt, id, err)
        })?;
        Ok(())
    }

    /// Gives it another name in the engine and for people; its id stays what it is.
    pub fn rename_container(&self, id: &ContainerId, name: &str) -> Result<()> {
        let name = text::to_c("name", name)?;
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_rename_container(rt, id, name.as_ptr(), err)
        })?;
        Ok(())
    }

    /// Changes limits, all of them or none: warnings about what was not applied.
    pub fn update_container_resources(
        &self,
        id: &ContainerId,
        update: &ContainerResourceUpdate,
    ) -> Result<Vec<String>> {
        let mut warnings = ptr::null_mut();
        update.with_raw(|update| {
            self.on(id, |rt, id, err| unsafe {
                sys::csn_rt_update_container_resources(rt, id, update, &mut warnings, err)
            })
        })?;
        Ok(unsafe { text::take_list(warnings) })
    }

    /// Removes all containers that do not run.
    pub fn prune_containers(&self) -> Result<PruneResult> {
        PruneResult::of(|texts, bytes, err| unsafe {
            sys::csn_rt_prune_containers(self.raw(), texts, bytes, err)
        })
    }

    /// All that there are, running or not.
    pub fn list_containers(&self) -> Result<Vec<ContainerSummary>> {
        let mut list = ptr::null_mut();
        call(|err| unsafe { sys::csn_rt_list_containers(self.raw(), &mut list, err) })?;
        Ok(unsafe { ContainerSummary::take(list) })
    }

    // ---- facts ---------------------------------------------------------------------------------

    fn raw_state(&self, id: &ContainerId) -> Result<sys::csn_container_state> {
        let mut raw = sys::csn_container_state {
            size: mem::size_of::<sys::csn_container_state>(),
            state: sys::CSN_STATE_PENDING,
            exit_code: 0,
            paused: false,
            reason: [0; 256],
        };
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_container_state(rt, id, &mut raw, err)
        })?;
        Ok(raw)
    }

    /// What it does; running also while it is paused.
    pub fn container_state(&self, id: &ContainerId) -> Result<ContainerState> {
        Ok(ContainerState::from_raw(&self.raw_state(id)?))
    }

    /// Whether its processes are frozen.
    pub fn is_paused(&self, id: &ContainerId) -> Result<bool> {
        Ok(self.raw_state(id)?.paused)
    }

    /// The pid of its first process on the host; None: it does not run.
    pub fn get_container_pid(&self, id: &ContainerId) -> Result<Option<u32>> {
        let mut pid = 0;
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_get_container_pid(rt, id, &mut pid, err)
        })?;
        Ok(u32::try_from(pid).ok().filter(|p| *p != 0))
    }

    /// Its address; None when it has none (yet).
    pub fn get_container_ip(&self, id: &ContainerId) -> Result<Option<IpAddr>> {
        let mut buffer = [0 as c_char; 46];
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_get_container_ip(rt, id, &mut buffer, err)
        })?;
        match text::from_array(&buffer) {
            none if none.is_empty() => Ok(None),
            ip => match ip.parse() {
                Ok(ip) => Ok(Some(ip)),
                Err(_) => Err(Error::Internal(format!("'{ip}' is no address"))),
            },
        }
    }

    /// The port that stands in for the service's own.
    pub fn get_container_port_override(&self, id: &ContainerId) -> Result<Option<u16>> {
        let mut port = 0;
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_get_container_port_override(rt, id, &mut port, err)
        })?;
        Ok(Some(port).filter(|p| *p != 0))
    }

    /// An identifier of its network that only other systems have: None on Linux.
    pub fn get_container_namespace_id(&self, id: &ContainerId) -> Result<Option<String>> {
        let mut buffer = [0 as c_char; 64];
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_get_container_namespace_id(rt, id, &mut buffer, err)
        })?;
        Ok(Some(text::from_array(&buffer)).filter(|t| !t.is_empty()))
    }

    /// Brings what its volumes hold to where they are kept.
    pub fn sync_container_volumes(&self, id: &ContainerId) -> Result<()> {
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_sync_container_volumes(rt, id, err)
        })?;
        Ok(())
    }

    /// The published ports.
    pub fn port_mappings_container(&self, id: &ContainerId) -> Result<Vec<PortMapping>> {
        let mut list = ptr::null_mut();
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_port_mappings_container(rt, id, &mut list, err)
        })?;
        Ok(unsafe { PortMapping::take(list) })
    }

    /// Ports, networks, address, health and exit code.
    pub fn inspect_detailed(&self, id: &ContainerId) -> Result<ContainerInspectDetails> {
        let mut raw = ptr::null_mut();
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_inspect_detailed(rt, id, &mut raw, err)
        })?;
        Ok(unsafe { ContainerInspectDetails::take(raw) })
    }

    // ---- waiting -------------------------------------------------------------------------------

    /// Until it has ended: its exit code.
    pub fn wait_container(&self, id: &ContainerId, limit: Option<Duration>) -> Result<i32> {
        let (id, ms) = (id.raw(), text::milliseconds(limit));
        let mut code = 0;
        call_within(limit, |err| unsafe {
            sys::csn_rt_wait_container(self.raw(), &id, ms, &mut code, err)
        })?;
        Ok(code)
    }

    /// The same, and why.
    pub fn wait_outcome(&self, id: &ContainerId, limit: Option<Duration>) -> Result<WaitOutcome> {
        let (id, ms) = (id.raw(), text::milliseconds(limit));
        let mut raw = WaitOutcome::empty();
        call_within(limit, |err| unsafe {
            sys::csn_rt_wait_outcome(self.raw(), &id, ms, &mut raw, err)
        })?;
        Ok(WaitOutcome::from_raw(&raw))
    }

    /// Waits for a condition.
    pub fn wait_outcome_with_condition(
        &self,
        id: &ContainerId,
        condition: WaitCondition,
        limit: Option<Duration>,
    ) -> Result<WaitOutcome> {
        let (id, ms) = (id.raw(), text::milliseconds(limit));
        let mut raw = WaitOutcome::empty();
        call_within(limit, |err| unsafe {
            let condition = condition as sys::csn_wait_condition;
            sys::csn_rt_wait_outcome_with_condition(self.raw(), &id, condition, ms, &mut raw, err)
        })?;
        Ok(WaitOutcome::from_raw(&raw))
    }

    /// A file that becomes readable when [`Runtime::wait_outcome`] has an answer.
    pub fn wait_fd(&self, id: &ContainerId) -> Result<OwnedFd> {
        let mut fd = -1;
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_wait_fd(rt, id, &mut fd, err)
        })?;
        // Safety: it was opened for the caller.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}
