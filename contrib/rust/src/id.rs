//! Which container.
use std::fmt;
use std::os::raw::c_char;
use std::str::FromStr;

use crate::error::{call, Error, Result};
use crate::sys;
use crate::text;

/// Which container: a service's replica, and in a cluster the role that it plays and its node.
///
/// One that exists has been checked. Its text, "web-rep-1" or "web-primary-1-on-7", can be parsed
/// again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContainerId {
    service: String,
    role: String,
    replica: u32,
    node_id: u64,
}

impl ContainerId {
    /// A replica with the role "default" on node 0. `service`: 1 to 63 of `[A-Za-z0-9_.-]`, first
    /// and last a letter or digit.
    pub fn new(service: &str, replica: u32) -> Result<ContainerId> {
        let service = text::to_c("service", service)?;
        let mut raw = empty();
        // Safety: both outlive the call.
        call(|err| unsafe {
            sys::csn_container_id_make(service.as_ptr(), replica, &mut raw, err)
        })?;
        Ok(ContainerId::from_raw(&raw))
    }

    /// One of a cluster. `role`: 1 to 30 of `[a-z0-9-]`, first a letter, last no "-".
    pub fn with_role_and_node(
        service: &str,
        role: &str,
        replica: u32,
        node_id: u64,
    ) -> Result<ContainerId> {
        let mut id = ContainerId::new(service, replica)?;
        if role.len() >= empty().role.len() {
            return Err(Error::InvalidSpec(format!("role '{role}' is too long")));
        }
        // Its array ends where the first 0 is.
        text::to_c("role", role)?;
        id.role = role.into();
        id.node_id = node_id;
        id.format()?;
        Ok(id)
    }

    /// The service's name.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// "default" unless another was given.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// The number of the replica.
    pub fn replica(&self) -> u32 {
        self.replica
    }

    /// 0 unless another was given.
    pub fn node_id(&self) -> u64 {
        self.node_id
    }

    /// Role "default" on node 0, whose text is the shorter one.
    pub fn is_legacy_shape(&self) -> bool {
        // Safety: a struct of ours.
        unsafe { sys::csn_container_id_is_legacy(&self.raw()) }
    }

    pub(crate) fn raw(&self) -> sys::csn_container_id {
        let mut raw = empty();
        text::into_array(&self.service, &mut raw.service);
        text::into_array(&self.role, &mut raw.role);
        raw.replica = self.replica;
        raw.node_id = self.node_id;
        raw
    }

    fn from_raw(raw: &sys::csn_container_id) -> ContainerId {
        ContainerId {
            service: text::from_array(&raw.service),
            role: text::from_array(&raw.role),
            replica: raw.replica,
            node_id: raw.node_id,
        }
    }

    fn format(&self) -> Result<String> {
        let mut buffer = [0 as c_char; sys::CSN_CONTAINER_ID_TEXT];
        let raw = self.raw();
        // Safety: the buffer has the size that the header asks for.
        call(|err| unsafe { sys::csn_container_id_format(&raw, &mut buffer, err) })?;
        Ok(text::from_array(&buffer))
    }
}

fn empty() -> sys::csn_container_id {
    sys::csn_container_id {
        service: [0; 64],
        role: [0; 32],
        replica: 0,
        node_id: 0,
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.format().map_err(|_| fmt::Error)?)
    }
}

impl FromStr for ContainerId {
    type Err = Error;

    /// The opposite of the text; read from the right, so that a service may have any "-" in its
    /// name.
    fn from_str(text: &str) -> Result<ContainerId> {
        let text = text::to_c("container id", text)?;
        let mut raw = empty();
        // Safety: both outlive the call.
        call(|err| unsafe { sys::csn_container_id_parse(text.as_ptr(), &mut raw, err) })?;
        Ok(ContainerId::from_raw(&raw))
    }
}
