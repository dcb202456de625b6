//! Processes and files of containers.
use std::mem;
use std::os::unix::io::{AsRawFd, BorrowedFd};
use std::ptr;
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

/// A table of a container's processes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Top {
    /// A title for each column.
    pub titles: Vec<String>,
    /// A row for each process.
    pub rows: Vec<Vec<String>>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ChangeKind {
    /// It differs from the image's.
    Modified = sys::CSN_CHANGE_MODIFIED,
    /// The image has none.
    Added = sys::CSN_CHANGE_ADDED,
    /// The image's is gone.
    Deleted = sys::CSN_CHANGE_DELETED,
}

/// A file that differs from the image's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Absolute, in the container.
    pub path: Vec<u8>,
    /// What became of it.
    pub kind: ChangeKind,
}

/// How an archive is unpacked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ArchivePutOptions {
    /// A directory does not replace a file, nor a file one.
    pub no_overwrite_dir_non_dir: bool,
    /// Owners as the archive says.
    pub copy_uid_gid: bool,
}

/// Processes, and how files differ from the image's.
impl Runtime {
    /// All its processes; `ps_args` are those of ps(1) that choose columns.
    pub fn top_container(&self, id: &ContainerId, ps_args: &[&str]) -> Result<Top> {
        let args = text::List::new("ps arguments", ps_args)?;
        let args = if ps_args.is_empty() {
            ptr::null()
        } else {
            args.as_ptr()
        };
        let mut raw = ptr::null_mut();
        // Safety: the handle is open, and what is passed outlives the call; the table is ours.
        unsafe {
            self.on(id, |rt, id, err| {
                sys::csn_rt_top_container(rt, id, args, &mut raw, err)
            })?;
            let columns = sys::csn_top_columns(raw);
            let row = |row| {
                let cell = |column| text::from_pointer(sys::csn_top_cell(raw, row, column));
                (0..columns).map(cell).collect()
            };
            let top = Top {
                titles: (0..columns)
                    .map(|column| text::from_pointer(sys::csn_top_title(raw, column)))
                    .collect(),
                rows: (0..sys::csn_top_rows(raw)).map(row).collect(),
            };
            sys::csn_top_free(raw);
            Ok(top)
        }
    }

    /// The files that differ, sorted by path.
    pub fn changes_container(&self, id: &ContainerId) -> Result<Vec<Change>> {
        let mut raw = ptr::null_mut();
        // Safety: as above; the list is ours.
        unsafe {
            self.on(id, |rt, id, err| {
                sys::csn_rt_changes_container(rt, id, &mut raw, err)
            })?;
            let changes = (0..sys::csn_changes_count(raw))
                .filter_map(|i| sys::csn_changes_get(raw, i).as_ref())
                .map(|change| Change {
                    path: text::raw(change.path),
                    kind: match change.kind {
                        sys::CSN_CHANGE_ADDED => ChangeKind::Added,
                        sys::CSN_CHANGE_DELETED => ChangeKind::Deleted,
                        _ => ChangeKind::Modified,
                    },
                })
                .collect();
            sys::csn_changes_free(raw);
            Ok(changes)
        }
    }
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
