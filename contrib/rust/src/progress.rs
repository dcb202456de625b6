//! Pulls and loads under way.
use std::mem;
use std::os::unix::io::{AsRawFd, BorrowedFd};
use std::ptr;

use crate::error::{call, Result};
use crate::image::RegistryAuth;
use crate::runtime::Runtime;
use crate::stream::stream;
use crate::sys;
use crate::text;

/// What a pull or a load does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Something goes on.
    Status {
        /// Of which layer or image.
        id: Option<String>,
        /// "Downloading".
        status: String,
        /// A bar in text.
        progress: Option<String>,
        /// Bytes so far.
        current: u64,
        /// Bytes in all; 0: not known.
        total: u64,
    },
    /// All of it is here: the last event, and the only one of its kind.
    Done {
        /// What came. Of a pull one reference.
        references: Vec<String>,
        /// "sha256:…".
        digest: Option<String>,
    },
}

impl Progress {
    fn empty() -> sys::csn_progress {
        sys::csn_progress {
            size: mem::size_of::<sys::csn_progress>(),
            kind: sys::CSN_PROGRESS_STATUS,
            id: ptr::null(),
            status: ptr::null(),
            progress: ptr::null(),
            current: 0,
            total: 0,
            references: ptr::null(),
            digest: ptr::null(),
        }
    }

    /// Calls `f` with the library's form of it, which lives as long as the call.
    fn with_raw<T>(&self, f: impl FnOnce(*const sys::csn_progress) -> Result<T>) -> Result<T> {
        match self {
            Progress::Status {
                id,
                status,
                progress,
                current,
                total,
            } => {
                let id = text::to_c_option("id", id.as_deref())?;
                let status = text::to_c("status", status)?;
                let progress = text::to_c_option("progress", progress.as_deref())?;
                f(&sys::csn_progress {
                    id: text::pointer(&id),
                    status: status.as_ptr(),
                    progress: text::pointer(&progress),
                    current: *current,
                    total: *total,
                    ..Progress::empty()
                })
            }
            Progress::Done { references, digest } => {
                let references = text::List::new("references", references)?;
                let digest = text::to_c_option("digest", digest.as_deref())?;
                let status = text::to_c("status", "")?;
                f(&sys::csn_progress {
                    kind: sys::CSN_PROGRESS_DONE,
                    status: status.as_ptr(),
                    references: references.as_ptr(),
                    digest: text::pointer(&digest),
                    ..Progress::empty()
                })
            }
        }
    }

    /// `{"kind":"status",…}` or `{"kind":"done",…}`.
    pub fn to_json(&self) -> Result<String> {
        let mut json = ptr::null_mut();
        // Safety: the text is the library's until it is taken.
        self.with_raw(|raw| call(|err| unsafe { sys::csn_progress_to_json(raw, &mut json, err) }))?;
        Ok(unsafe { text::take(json) })
    }
}

/// # Safety
/// `raw` was filled by the library, and nothing was asked of its stream since.
unsafe fn event(raw: &sys::csn_progress) -> Progress {
    match raw.kind {
        sys::CSN_PROGRESS_DONE => Progress::Done {
            references: text::list(raw.references),
            digest: text::from_pointer_option(raw.digest),
        },
        _ => Progress::Status {
            id: text::from_pointer_option(raw.id),
            status: text::from_pointer(raw.status),
            progress: text::from_pointer_option(raw.progress),
            current: raw.current,
            total: raw.total,
        },
    }
}

stream! {
    /// A pull or a load, event by event. What is not done yet is given up when the stream is
    /// dropped.
    ProgressStream of Progress,
    csn_progress_stream, csn_progress_stream_next, csn_progress_stream_fd, csn_progress_stream_close,
    Progress::empty(), event
}

/// Images that come, with progress.
impl Runtime {
    /// As [`Runtime::pull_image`], with progress.
    pub fn pull_image_stream(
        &self,
        image: &str,
        auth: Option<&RegistryAuth>,
    ) -> Result<ProgressStream> {
        let image = text::to_c("image", image)?;
        let mut raw = ptr::null_mut();
        // Safety, here and below: the handle is open, and what is passed outlives the call.
        RegistryAuth::with_option(auth, |auth| {
            call(|err| unsafe {
                sys::csn_rt_pull_image_stream(self.raw(), image.as_ptr(), auth, &mut raw, err)
            })
        })?;
        unsafe { ProgressStream::new(raw, self) }
    }

    /// Loads all images of an archive. `quiet`: [`Progress::Done`] is the only event.
    pub fn load_images(&self, archive: BorrowedFd<'_>, quiet: bool) -> Result<ProgressStream> {
        let mut raw = ptr::null_mut();
        call(|err| unsafe {
            sys::csn_rt_load_images(self.raw(), archive.as_raw_fd(), quiet, &mut raw, err)
        })?;
        unsafe { ProgressStream::new(raw, self) }
    }

    /// A mock's next event of a pull of that image; after the queued ones the stream ends.
    pub fn mock_queue_progress(&self, image: &str, progress: &Progress) -> Result<()> {
        let image = text::to_c("image", image)?;
        progress.with_raw(|raw| {
            call(|err| unsafe {
                sys::csn_rt_mock_queue_progress(self.raw(), image.as_ptr(), raw, err)
            })
        })?;
        Ok(())
    }
}
