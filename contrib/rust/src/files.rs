//! Files of containers.
use std::mem;
use std::os::unix::io::{AsRawFd, BorrowedFd};
use std::time::SystemTime;

use crate::error::Result;
use crate::id::ContainerId;
use crate::runtime::Runtime;
use crate::sys;
use crate::text;

/// A file of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStat {
    /// Last part of its path; "/" for the root.
    pub name: String,
    /// Bytes.
    pub size: i64,
    /// Type and permissions as in stat(2).
    pub mode: u32,
    /// When its content last changed.
    pub mtime: Option<SystemTime>,
    /// Of a symbolic link.
    pub link_target: Option<String>,
}

/// How an archive is unpacked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ArchivePutOptions {
    /// A directory does not replace a file, nor a file one.
    pub no_overwrite_dir_non_dir: bool,
    /// Owners as the archive says.
    pub copy_uid_gid: bool,
}

/// Files of containers, as tar archives, which go through files that may be pipes.
impl Runtime {
    /// A file; of a symbolic link itself.
    pub fn archive_head(&self, id: &ContainerId, path: &str) -> Result<PathStat> {
        let path = text::to_c("path", path)?;
        let mut raw = Box::new(sys::csn_path_stat {
            size: mem::size_of::<sys::csn_path_stat>(),
            name: [0; 256],
            file_size: 0,
            mode: 0,
            mtime_ns: 0,
            link_target: [0; 4096],
        });
        // Safety, here and below: the handle is open, and what is passed outlives the call.
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_archive_head(rt, id, path.as_ptr(), raw.as_mut(), err)
        })?;
        Ok(PathStat {
            name: text::from_array(&raw.name),
            size: raw.file_size,
            mode: raw.mode,
            mtime: text::time(raw.mtime_ns),
            link_target: Some(text::from_array(&raw.link_target)).filter(|t| !t.is_empty()),
        })
    }

    /// Writes a file, or a directory with all in it.
    pub fn archive_get(&self, id: &ContainerId, path: &str, archive: BorrowedFd<'_>) -> Result<()> {
        let path = text::to_c("path", path)?;
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_archive_get(rt, id, path.as_ptr(), archive.as_raw_fd(), err)
        })?;
        Ok(())
    }

    /// Unpacks into a directory, which must be there.
    pub fn archive_put(
        &self,
        id: &ContainerId,
        path: &str,
        archive: BorrowedFd<'_>,
        options: ArchivePutOptions,
    ) -> Result<()> {
        let path = text::to_c("path", path)?;
        let options = sys::csn_archive_put_options {
            size: mem::size_of::<sys::csn_archive_put_options>(),
            no_overwrite_dir_non_dir: options.no_overwrite_dir_non_dir,
            copy_uid_gid: options.copy_uid_gid,
        };
        self.on(id, |rt, id, err| unsafe {
            sys::csn_rt_archive_put(rt, id, path.as_ptr(), archive.as_raw_fd(), &options, err)
        })?;
        Ok(())
    }
}
