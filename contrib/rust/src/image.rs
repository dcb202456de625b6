//! Images.
use std::mem;
use std::ptr;
use std::str::FromStr;
use std::time::Duration;

use crate::details::PruneResult;
use crate::error::{call, Error, Result};
use crate::runtime::Runtime;
use crate::sys;
use crate::text;

/// An image that is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageInfo {
    /// "docker.io/library/busybox:latest".
    pub reference: String,
    /// Of its manifest, "sha256:…".
    pub digest: Option<String>,
    /// Of its config, "sha256:…".
    pub id: Option<String>,
    /// When it was made, as it says itself (RFC 3339).
    pub created: Option<String>,
    /// "amd64".
    pub architecture: Option<String>,
    /// "linux".
    pub os: Option<String>,
    /// Of the unpacked layers.
    pub size_bytes: Option<u64>,
}

impl ImageInfo {
    /// # Safety
    /// The texts of `raw` are null or end with a 0.
    unsafe fn from_raw(raw: &sys::csn_image_info) -> ImageInfo {
        ImageInfo {
            reference: text::from_pointer(raw.reference),
            digest: text::from_pointer_option(raw.digest),
            id: text::from_pointer_option(raw.id),
            created: text::from_pointer_option(raw.created),
            architecture: text::from_pointer_option(raw.architecture),
            os: text::from_pointer_option(raw.os),
            size_bytes: Some(raw.size_bytes).filter(|n| *n != 0),
        }
    }

    /// Copies a list of the library and frees it.
    ///
    /// # Safety
    /// `list` is null or a list that nobody else frees.
    pub(crate) unsafe fn take(list: *mut sys::csn_images) -> Vec<ImageInfo> {
        let images = (0..sys::csn_images_count(list))
            .filter_map(|i| sys::csn_images_get(list, i).as_ref())
            .map(|raw| ImageInfo::from_raw(raw))
            .collect();
        sys::csn_images_free(list);
        images
    }
}

/// When the registry is asked for an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum PullPolicy {
    /// When it is not here.
    IfNotPresent = sys::CSN_PULL_IF_NOT_PRESENT,
    /// Always; no answer is an error.
    Always = sys::CSN_PULL_ALWAYS,
    /// Always; without an answer one that is here will do.
    Newer = sys::CSN_PULL_NEWER,
    /// Never.
    Never = sys::CSN_PULL_NEVER,
}

impl FromStr for PullPolicy {
    type Err = Error;

    /// "if-not-present", "always", "newer", "never".
    fn from_str(name: &str) -> Result<PullPolicy> {
        let name = text::to_c("pull policy", name)?;
        let mut raw = sys::CSN_PULL_IF_NOT_PRESENT;
        // Safety: both outlive the call.
        call(|err| unsafe { sys::csn_pull_policy_parse(name.as_ptr(), &mut raw, err) })?;
        Ok(match raw {
            sys::CSN_PULL_ALWAYS => PullPolicy::Always,
            sys::CSN_PULL_NEWER => PullPolicy::Newer,
            sys::CSN_PULL_NEVER => PullPolicy::Never,
            _ => PullPolicy::IfNotPresent,
        })
    }
}

/// Whether a registry must show a certificate that can be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum TlsVerify {
    /// As registries.conf and hosts.toml say.
    AsConfigured = sys::CSN_TLS_AS_CONFIGURED,
    /// Always.
    Required = sys::CSN_TLS_REQUIRED,
    /// No; plain http will do, too.
    Optional = sys::CSN_TLS_OPTIONAL,
}

/// Who asks a registry, and how. The default looks credentials up by the registry's name in the
/// auth files of podman and docker, and is anonymous where there are none.
#[derive(Clone, PartialEq, Eq)]
pub struct RegistryAuth {
    /// With `password`: these win.
    pub username: Option<String>,
    /// With `username`.
    pub password: Option<String>,
    /// Instead of both.
    pub identity_token: Option<String>,
    /// Look there only.
    pub auth_file: Option<String>,
    /// Certificates of a CA and of ours.
    pub cert_dir: Option<String>,
    /// Whether a certificate is needed.
    pub tls_verify: TlsVerify,
    /// Look nothing up.
    pub anonymous: bool,
    /// Give up when nothing comes for so long (whole seconds); None: 30 seconds.
    pub stall_timeout: Option<Duration>,
}

impl Default for RegistryAuth {
    fn default() -> RegistryAuth {
        RegistryAuth {
            username: None,
            password: None,
            identity_token: None,
            auth_file: None,
            cert_dir: None,
            tls_verify: TlsVerify::AsConfigured,
            anonymous: false,
            stall_timeout: None,
        }
    }
}

/// No secret gets into a log by way of a debug print.
impl std::fmt::Debug for RegistryAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hidden = |secret: &Option<String>| secret.as_ref().map(|_| "…");
        f.debug_struct("RegistryAuth")
            .field("username", &self.username)
            .field("password", &hidden(&self.password))
            .field("identity_token", &hidden(&self.identity_token))
            .field("auth_file", &self.auth_file)
            .field("cert_dir", &self.cert_dir)
            .field("tls_verify", &self.tls_verify)
            .field("anonymous", &self.anonymous)
            .field("stall_timeout", &self.stall_timeout)
            .finish()
    }
}

impl RegistryAuth {
    /// A user's name and password.
    pub fn basic(username: &str, password: &str) -> RegistryAuth {
        RegistryAuth {
            username: Some(username.into()),
            password: Some(password.into()),
            ..RegistryAuth::default()
        }
    }

    /// Nobody.
    pub fn anonymous() -> RegistryAuth {
        RegistryAuth {
            anonymous: true,
            ..RegistryAuth::default()
        }
    }

    /// As `with_raw`, of one that may be missing.
    pub(crate) fn with_option<T>(
        auth: Option<&RegistryAuth>,
        f: impl FnOnce(*const sys::csn_registry_options) -> Result<T>,
    ) -> Result<T> {
        match auth {
            Some(auth) => auth.with_raw(f),
            None => f(ptr::null()),
        }
    }

    /// Calls `f` with the library's form of it, which lives as long as the call.
    fn with_raw<T>(
        &self,
        f: impl FnOnce(*const sys::csn_registry_options) -> Result<T>,
    ) -> Result<T> {
        let username = text::to_c_option("username", self.username.as_deref())?;
        let password = text::to_c_option("password", self.password.as_deref())?;
        let identity_token = text::to_c_option("identity token", self.identity_token.as_deref())?;
        let auth_file = text::to_c_option("auth file", self.auth_file.as_deref())?;
        let cert_dir = text::to_c_option("certificates' directory", self.cert_dir.as_deref())?;
        let stall = self.stall_timeout.map_or(0, |t| t.as_secs().max(1));
        f(&sys::csn_registry_options {
            size: mem::size_of::<sys::csn_registry_options>(),
            username: text::pointer(&username),
            password: text::pointer(&password),
            identity_token: text::pointer(&identity_token),
            auth_file: text::pointer(&auth_file),
            cert_dir: text::pointer(&cert_dir),
            tls_verify: self.tls_verify as sys::csn_tls_verify,
            anonymous: self.anonymous,
            stall_timeout_s: i32::try_from(stall).unwrap_or(i32::MAX),
        })
    }
}

/// Images and their names.
impl Runtime {
    /// Sees to it that the image is here, with credentials looked up by the registry's name.
    pub fn pull_image(&self, image: &str) -> Result<()> {
        let image = text::to_c("image", image)?;
        // Safety, here and below: the handle is open, and what is passed outlives the call.
        call(|err| unsafe { sys::csn_rt_pull_image(self.raw(), image.as_ptr(), err) })?;
        Ok(())
    }

    /// The same as the policy says; `auth` None: looked up likewise.
    pub fn pull_image_with_policy(
        &self,
        image: &str,
        policy: PullPolicy,
        auth: Option<&RegistryAuth>,
    ) -> Result<()> {
        let image = text::to_c("image", image)?;
        RegistryAuth::with_option(auth, |auth| {
            let policy = policy as sys::csn_pull_policy;
            call(|err| unsafe {
                sys::csn_rt_pull_image_with_policy(self.raw(), image.as_ptr(), policy, auth, err)
            })
        })?;
        Ok(())
    }

    /// All images, sorted by reference.
    pub fn list_images(&self) -> Result<Vec<ImageInfo>> {
        let mut list = ptr::null_mut();
        unsafe {
            call(|err| sys::csn_rt_list_images(self.raw(), &mut list, err))?;
            Ok(ImageInfo::take(list))
        }
    }

    /// `force`: also when containers stand on it.
    pub fn remove_image(&self, image: &str, force: bool) -> Result<()> {
        let image = text::to_c("image", image)?;
        call(|err| unsafe { sys::csn_rt_remove_image(self.raw(), image.as_ptr(), force, err) })?;
        Ok(())
    }

    /// Gives `source` the name `target`, which must be a whole reference.
    pub fn tag_image(&self, source: &str, target: &str) -> Result<()> {
        let source = text::to_c("source", source)?;
        let target = text::to_c("target", target)?;
        call(|err| unsafe {
            sys::csn_rt_tag_image(self.raw(), source.as_ptr(), target.as_ptr(), err)
        })?;
        Ok(())
    }

    /// Removes images that no container is made from.
    pub fn prune_images(&self) -> Result<PruneResult> {
        PruneResult::of(|texts, bytes, err| unsafe {
            sys::csn_rt_prune_images(self.raw(), texts, bytes, err)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let auth = RegistryAuth::basic("me", "secret");
        let printed = format!("{auth:?}");
        assert!(
            printed.contains("me") && !printed.contains("secret"),
            "{printed}"
        );
    }

    #[test]
    fn policies_by_name() {
        assert_eq!("newer".parse(), Ok(PullPolicy::Newer));
        assert_eq!("never".parse(), Ok(PullPolicy::Never));
        assert!("sometimes".parse::<PullPolicy>().is_err());
    }
}
