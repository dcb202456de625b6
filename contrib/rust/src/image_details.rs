//! What images are made of, and archives of them.
use std::mem;
use std::os::unix::io::{AsRawFd, BorrowedFd};
use std::ptr;

use crate::error::{call, Error, Result};
use crate::id::ContainerId;
use crate::runtime::Runtime;
use crate::sys;
use crate::text;

/// Everything that an image says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageDetails {
    /// Of its config, "sha256:…".
    pub id: Option<String>,
    /// The image that it was made from.
    pub parent: Option<String>,
    /// Words of who made it.
    pub comment: Option<String>,
    /// When, RFC 3339.
    pub created: Option<String>,
    /// The container that it was made of.
    pub container: Option<String>,
    /// What made it.
    pub docker_version: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// "amd64".
    pub architecture: Option<String>,
    /// "linux".
    pub os: Option<String>,
    /// Of the unpacked layers.
    pub size_bytes: Option<u64>,
    /// Its names.
    pub repo_tags: Vec<String>,
    /// Its names by digest.
    pub repo_digests: Vec<String>,
    /// Digests of the unpacked layers, the lowest first.
    pub layers: Vec<String>,
    /// "NAME=value".
    pub env: Vec<String>,
    /// What runs, or the arguments of `entrypoint`.
    pub cmd: Vec<String>,
    /// What runs.
    pub entrypoint: Vec<String>,
    /// Where its program starts.
    pub working_dir: Option<String>,
    /// Who runs it.
    pub user: Option<String>,
    /// "key=value", sorted.
    pub labels: Vec<String>,
}

impl ImageDetails {
    /// An object with a member for each; null and \[\] for nothing.
    pub fn to_json(&self) -> Result<String> {
        let one = |t: &Option<String>| text::to_c_option("image details", t.as_deref());
        let many = |t: &[String]| text::List::new("image details", t);
        let (id, working_dir, user) = (one(&self.id)?, one(&self.working_dir)?, one(&self.user)?);
        let parent = one(&self.parent)?;
        let comment = one(&self.comment)?;
        let created = one(&self.created)?;
        let container = one(&self.container)?;
        let docker_version = one(&self.docker_version)?;
        let author = one(&self.author)?;
        let architecture = one(&self.architecture)?;
        let os = one(&self.os)?;
        let repo_tags = many(&self.repo_tags)?;
        let repo_digests = many(&self.repo_digests)?;
        let layers = many(&self.layers)?;
        let env = many(&self.env)?;
        let cmd = many(&self.cmd)?;
        let entrypoint = many(&self.entrypoint)?;
        let labels = many(&self.labels)?;
        let raw = sys::csn_image_details {
            size: mem::size_of::<sys::csn_image_details>(),
            id: text::pointer(&id),
            working_dir: text::pointer(&working_dir),
            user: text::pointer(&user),
            size_bytes: self.size_bytes.unwrap_or(0),
            has_size: self.size_bytes.is_some(),
            parent: text::pointer(&parent),
            comment: text::pointer(&comment),
            created: text::pointer(&created),
            container: text::pointer(&container),
            docker_version: text::pointer(&docker_version),
            author: text::pointer(&author),
            architecture: text::pointer(&architecture),
            os: text::pointer(&os),
            repo_tags: repo_tags.as_ptr(),
            repo_digests: repo_digests.as_ptr(),
            layers: layers.as_ptr(),
            env: env.as_ptr(),
            cmd: cmd.as_ptr(),
            entrypoint: entrypoint.as_ptr(),
            labels: labels.as_ptr(),
        };
        let mut json = ptr::null_mut();
        // Safety: all that raw points to lives until here; the text is the library's until taken.
        unsafe {
            call(|err| sys::csn_image_details_to_json(&raw, &mut json, err))?;
            Ok(text::take(json))
        }
    }

    /// The opposite.
    pub fn from_json(json: &str) -> Result<ImageDetails> {
        let mut raw = ptr::null_mut();
        // Safety: the text has that length.
        unsafe {
            call(|err| {
                sys::csn_image_details_from_json(json.as_ptr().cast(), json.len(), &mut raw, err)
            })?;
            ImageDetails::take(raw)
        }
    }

    /// # Safety
    /// `raw` is null or details that nobody else frees.
    unsafe fn take(raw: *mut sys::csn_image_details) -> Result<ImageDetails> {
        let details = raw.as_ref().map(|raw| ImageDetails {
            id: text::from_pointer_option(raw.id),
            size_bytes: Some(raw.size_bytes).filter(|_| raw.has_size),
            working_dir: text::from_pointer_option(raw.working_dir),
            user: text::from_pointer_option(raw.user),
            parent: text::from_pointer_option(raw.parent),
            comment: text::from_pointer_option(raw.comment),
            created: text::from_pointer_option(raw.created),
            container: text::from_pointer_option(raw.container),
            docker_version: text::from_pointer_option(raw.docker_version),
            author: text::from_pointer_option(raw.author),
            architecture: text::from_pointer_option(raw.architecture),
            os: text::from_pointer_option(raw.os),
            repo_tags: text::list(raw.repo_tags),
            repo_digests: text::list(raw.repo_digests),
            layers: text::list(raw.layers),
            env: text::list(raw.env),
            cmd: text::list(raw.cmd),
            entrypoint: text::list(raw.entrypoint),
            labels: text::list(raw.labels),
        });
        sys::csn_image_details_free(raw);
        details.ok_or_else(|| Error::Internal("no details".into()))
    }
}

/// A step in which an image was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageHistoryEntry {
    /// Of the image, with the newest entry; else "<missing>".
    pub id: String,
    /// Seconds since 1970.
    pub created: i64,
    /// The step.
    pub created_by: String,
    /// Words about it.
    pub comment: String,
    /// Of the layer as it is stored; 0: the step made none.
    pub size_bytes: u64,
    /// With the newest entry.
    pub tags: Vec<String>,
}

/// How a container becomes an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitOptions {
    /// The new image's name.
    pub repo: Option<String>,
    /// None: "latest".
    pub tag: Option<String>,
    /// Words about it.
    pub comment: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// Pause the container meanwhile.
    pub pause: bool,
    /// Lines as in a Dockerfile: "CMD …", "ENV …".
    pub changes: Option<String>,
}

impl CommitOptions {
    fn with_raw<T>(
        &self,
        f: impl FnOnce(*const sys::csn_rt_commit_options) -> Result<T>,
    ) -> Result<T> {
        let one = |what, t: &Option<String>| text::to_c_option(what, t.as_deref());
        let (repo, tag) = (one("repo", &self.repo)?, one("tag", &self.tag)?);
        let (comment, author) = (one("comment", &self.comment)?, one("author", &self.author)?);
        let changes = one("changes", &self.changes)?;
        f(&sys::csn_rt_commit_options {
            size: mem::size_of::<sys::csn_rt_commit_options>(),
            repo: text::pointer(&repo),
            tag: text::pointer(&tag),
            comment: text::pointer(&comment),
            author: text::pointer(&author),
            pause: self.pause,
            changes: text::pointer(&changes),
        })
    }
}

/// What images are made of, and archives, which go through files that may be pipes.
impl Runtime {
    /// Everything that an image says of itself.
    pub fn inspect_image_native(&self, image: &str) -> Result<ImageDetails> {
        let image = text::to_c("image", image)?;
        let mut raw = ptr::null_mut();
        // Safety, here and below: the handle is open, and what is passed outlives the call.
        unsafe {
            call(|err| {
                sys::csn_rt_inspect_image_native(self.raw(), image.as_ptr(), &mut raw, err)
            })?;
            ImageDetails::take(raw)
        }
    }

    /// The steps in which it was made, newest first.
    pub fn image_history(&self, image: &str) -> Result<Vec<ImageHistoryEntry>> {
        let image = text::to_c("image", image)?;
        let mut list = ptr::null_mut();
        unsafe {
            call(|err| sys::csn_rt_image_history(self.raw(), image.as_ptr(), &mut list, err))?;
            let entries = (0..sys::csn_image_history_count(list))
                .filter_map(|i| sys::csn_image_history_get(list, i).as_ref())
                .map(|raw| ImageHistoryEntry {
                    id: text::from_pointer(raw.id),
                    created: raw.created,
                    created_by: text::from_pointer(raw.created_by),
                    comment: text::from_pointer(raw.comment),
                    size_bytes: raw.size_bytes,
                    tags: text::list(raw.tags),
                })
                .collect();
            sys::csn_image_history_free(list);
            Ok(entries)
        }
    }

    /// At most `limit` images of that name in a registry, as a JSON array.
    pub fn search_images(&self, term: &str, limit: u32) -> Result<String> {
        let term = text::to_c("term", term)?;
        let mut json = ptr::null_mut();
        unsafe {
            call(|err| {
                sys::csn_rt_search_images(self.raw(), term.as_ptr(), limit, &mut json, err)
            })?;
            Ok(text::take(json))
        }
    }

    /// Writes one archive of the images, which share their layers in it.
    pub fn save_images(&self, images: &[&str], archive: BorrowedFd<'_>) -> Result<()> {
        let images = text::List::new("image", images)?;
        call(|err| unsafe {
            sys::csn_rt_save_images(self.raw(), images.as_ptr(), archive.as_raw_fd(), err)
        })?;
        Ok(())
    }

    /// An image of one layer from the tar archive of a root file system: its id.
    pub fn import_image(
        &self,
        archive: BorrowedFd<'_>,
        repo: &str,
        tag: Option<&str>,
    ) -> Result<String> {
        let repo = text::to_c("repo", repo)?;
        let tag = text::to_c_option("tag", tag)?;
        let mut id = ptr::null_mut();
        unsafe {
            call(|err| {
                let tag = text::pointer(&tag);
                let fd = archive.as_raw_fd();
                sys::csn_rt_import_image(self.raw(), fd, repo.as_ptr(), tag, &mut id, err)
            })?;
            Ok(text::take(id))
        }
    }

    /// Writes a tar archive of all files of a container.
    pub fn export_container_fs(&self, id: &ContainerId, archive: BorrowedFd<'_>) -> Result<()> {
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_export_container_fs(rt, id, archive.as_raw_fd(), err)
        })?;
        Ok(())
    }

    /// A new image of a container's files: its id.
    pub fn commit_container(&self, id: &ContainerId, options: &CommitOptions) -> Result<String> {
        let mut image = ptr::null_mut();
        options.with_raw(|options| {
            self.on(id, |rt, id, err| unsafe {
                sys::csn_rt_commit_container(rt, id, options, &mut image, err)
            })
        })?;
        Ok(unsafe { text::take(image) })
    }
}
