//! What an agent gives a runtime beside its directories.
use std::ffi::CString;
use std::mem;
use std::os::raw::{c_char, c_int, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;

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

/// How containers may call the agent back: each start of one gives its program PREFIXAPI_URL,
/// PREFIXTOKEN (a JSON Web Token, HS256) and PREFIXSOCKET.
#[derive(Clone, Default)]
pub struct ContainerAuthContext {
    /// "http://127.0.0.1:3669".
    pub api_url: String,
    /// What tokens are signed with; not empty.
    pub jwt_secret: Vec<u8>,
    /// On the host, absolute; None: no socket is mounted.
    pub socket_path: Option<String>,
    /// Where it is in containers; None: "/var/run/zlayer.sock".
    pub socket_target: Option<String>,
    /// Of the variables; None: "ZLAYER_".
    pub env_prefix: Option<String>,
    /// What tokens name as theirs; None: "zlayer".
    pub issuer: Option<String>,
    /// How long a token is good, in whole seconds; zero: 365 days.
    pub ttl: Duration,
}

/// The secret stays out of it.
impl std::fmt::Debug for ContainerAuthContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContainerAuthContext")
            .field("api_url", &self.api_url)
            .field("socket_path", &self.socket_path)
            .finish_non_exhaustive()
    }
}

impl ContainerAuthContext {
    fn with_raw<T>(
        &self,
        f: impl FnOnce(*const sys::csn_container_auth_context) -> Result<T>,
    ) -> Result<T> {
        let api_url = text::to_c("auth.api_url", &self.api_url)?;
        let path = text::to_c_option("auth.socket_path", self.socket_path.as_deref())?;
        let target = text::to_c_option("auth.socket_target", self.socket_target.as_deref())?;
        let prefix = text::to_c_option("auth.env_prefix", self.env_prefix.as_deref())?;
        let issuer = text::to_c_option("auth.issuer", self.issuer.as_deref())?;
        f(&sys::csn_container_auth_context {
            size: mem::size_of::<sys::csn_container_auth_context>(),
            api_url: api_url.as_ptr(),
            jwt_secret: self.jwt_secret.as_ptr() as *const c_char,
            jwt_secret_size: self.jwt_secret.len(),
            socket_path: text::pointer(&path),
            socket_target: text::pointer(&target),
            env_prefix: text::pointer(&prefix),
            issuer: text::pointer(&issuer),
            ttl_s: i64::try_from(self.ttl.as_secs()).unwrap_or(i64::MAX),
        })
    }
}

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
    /// None: containers cannot call back.
    pub auth: Option<ContainerAuthContext>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("network", &self.network)
            .field("auth", &self.auth)
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
        let with = |auth| {
            f(&sys::csn_rt_options {
                size: mem::size_of::<sys::csn_rt_options>(),
                network: text::pointer(&network),
                secret: self.secret.as_ref().map(|_| find as sys::secret_fn),
                secret_data: data,
                warn: self.warn.as_ref().map(|_| warn as sys::warn_fn),
                warn_data: data,
                auth,
            })
        };
        match &self.auth {
            Some(auth) => auth.with_raw(with),
            None => with(std::ptr::null()),
        }
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
