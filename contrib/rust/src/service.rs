//! What a service asks for.
use std::fmt;
use std::ptr::{self, NonNull};

use crate::error::{call, Error, Result};
use crate::sys;
use crate::text;

/// How a service or a deployment is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Format {
    /// JSON.
    Json = sys::CSN_FORMAT_JSON,
    /// YAML.
    Yaml = sys::CSN_FORMAT_YAML,
}

/// One service, decoded and checked. Unknown fields are refused, and every error names the field's
/// dotted path.
pub struct Service {
    raw: NonNull<sys::csn_service>,
}

// Safety: it does not change after it was made, and is freed by whoever has it alone.
unsafe impl Send for Service {}
unsafe impl Sync for Service {}

impl Service {
    /// A service from JSON.
    pub fn from_json(text: &str) -> Result<Service> {
        Service::parse(text, Format::Json, None)
    }

    /// A service from YAML.
    pub fn from_yaml(text: &str) -> Result<Service> {
        Service::parse(text, Format::Yaml, None)
    }

    /// One service of a whole deployment (version, deployment, services).
    pub fn from_deployment(text: &str, format: Format, service: &str) -> Result<Service> {
        Service::parse(text, format, Some(service))
    }

    fn parse(text: &str, format: Format, service: Option<&str>) -> Result<Service> {
        let service = text::to_c_option("service", service)?;
        let mut raw = ptr::null_mut();
        // Safety: the text has that length, and all of it outlives the call.
        call(|err| unsafe {
            sys::csn_service_parse(
                text.as_ptr().cast(),
                text.len(),
                format as sys::csn_service_format,
                text::pointer(&service),
                &mut raw,
                err,
            )
        })?;
        let raw = NonNull::new(raw).ok_or_else(|| Error::Internal("no service".into()))?;
        Ok(Service { raw })
    }

    pub(crate) fn as_ptr(&self) -> *const sys::csn_service {
        self.raw.as_ptr()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Safety: it is ours, and this is the last that is done with it.
        unsafe { sys::csn_service_free(self.raw.as_ptr()) }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}
