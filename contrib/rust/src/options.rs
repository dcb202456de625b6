//! What an agent gives a runtime beside its directories.
use std::ffi::CString;
use std::mem;
use std::os::raw::{c_char, c_int, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::error::{Error, Result};
use crate::sys;
use crate::text;

/// Which secret a value of a service's environment stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The deployment, or "deployment/SERVICE".
    pub scope: String,
    /// Where it is said: of which service.
    pub service: Option<String>,
    /// Where it is said: of which project.
    pub project: Option<String>,
    /// Where it is said: of which environment.
    pub environment: Option<String>,
    /// Its name.
    pub name: String,
}

/// Finds secrets. [`Error::NotFound`]: there is none.
pub type SecretFn = dyn Fn(&Secret) -> Result<Vec<u8>> + Send + Sync;
/// Hears what a container (its name comes first) does without.
pub type WarnFn = dyn Fn(&str, &str) + Send + Sync;

/// What an agent gives a runtime. The functions are called when a container is created, from that
/// thread, maybe by several at once.
#[derive(Default)]
pub struct Options {
    /// The network of services that name none; None: "bridge".
    pub network: Option<String>,
    /// None: a service with secrets cannot be created.
    pub secret: Option<Box<SecretFn>>,
    /// None: nobody wants to know.
    pub warn: Option<Box<WarnFn>>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("network", &self.network)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Calls `f` with the library's form of it. The functions must live as long as they can be
    /// called.
    pub(crate) fn with_raw<T>(
        &self,
        f: impl FnOnce(*const sys::csn_rt_options) -> Result<T>,
    ) -> Result<T> {
        let network: Option<CString> = text::to_c_option("network", self.network.as_deref())?;
        let data = self as *const Options as *mut c_void;
        f(&sys::csn_rt_options {
            size: mem::size_of::<sys::csn_rt_options>(),
            network: text::pointer(&network),
            secret: self.secret.as_ref().map(|_| find as sys::secret_fn),
            secret_data: data,
            warn: self.warn.as_ref().map(|_| warn as sys::warn_fn),
            warn_data: data,
        })
    }
}

const ENOENT: c_int = 2;
const EIO: c_int = 5;

/// A panic does not cross into C: it is a failure there.
unsafe extern "C" fn find(
    data: *mut c_void,
    which: *const sys::csn_secret,
    to: *mut sys::csn_secret_value,
    err: *mut sys::csn_error,
) -> c_int {
    let options = &*(data as *const Options);
    let which = &*which;
    let secret = Secret {
        scope: text::from_pointer(which.scope),
        service: text::from_pointer_option(which.service),
        project: text::from_pointer_option(which.project),
        environment: text::from_pointer_option(which.environment),
        name: text::from_pointer(which.name),
    };
    let found = catch_unwind(AssertUnwindSafe(|| {
        options.secret.as_ref().map(|f| f(&secret))
    }));
    let words = match found {
        Ok(Some(Ok(value))) => {
            return sys::csn_secret_set(to, value.as_ptr() as *const c_char, value.len())
        }
        Ok(None) | Ok(Some(Err(Error::NotFound { .. }))) => return -ENOENT,
        Ok(Some(Err(error))) => error.to_string(),
        Err(_) => "the function that finds secrets has panicked".into(),
    };
    if let Some(err) = err.as_mut() {
        err.code = EIO;
        err.kind = sys::CSN_ERROR_NONE;
        err.text = [0; 498];
        text::into_array(&words, &mut err.text);
    }
    -EIO
}

unsafe extern "C" fn warn(data: *mut c_void, container: *const c_char, says: *const c_char) {
    let options = &*(data as *const Options);
    let (container, says) = (text::from_pointer(container), text::from_pointer(says));
    let _ = catch_unwind(AssertUnwindSafe(|| {
        if let Some(f) = &options.warn {
            f(&container, &says);
        }
    }));
}
