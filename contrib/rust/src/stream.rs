//! What the streams of a runtime have in common.

/// A stream of the library as a type: an iterator that waits without a limit, `next_within` that
/// does not, a file that can be polled, and an end when it is dropped.
///
/// `$empty` is the library's event before it is filled, `$item` makes ours of it. The pointers of
/// the event are good until the next one is asked for; `$item` copies.
macro_rules! stream {
    (
        $(#[$doc:meta])*
        $name:ident of $item:ty,
        $raw:ident, $next:ident, $fd:ident, $close:ident,
        $empty:expr, $make:expr
    ) => {
        $(#[$doc])*
        ///
        /// Readable ([`std::os::unix::io::AsFd`]) when `next_within` may have news. A failure ends
        /// it. The runtime stays open as long as the stream.
        pub struct $name {
            raw: std::ptr::NonNull<$crate::sys::$raw>,
            over: bool,
            _runtime: $crate::Runtime,
        }

        // Safety: a stream belongs to one thread at a time, which a value that is not Sync does.
        unsafe impl Send for $name {}

        impl $name {
            /// # Safety
            /// `raw` is a stream of that runtime that nobody else closes, or null.
            pub(crate) unsafe fn new(
                raw: *mut $crate::sys::$raw,
                runtime: &$crate::Runtime,
            ) -> $crate::Result<$name> {
                let raw = std::ptr::NonNull::new(raw)
                    .ok_or_else(|| $crate::Error::Internal("no stream".into()))?;
                Ok($name {
                    raw,
                    over: false,
                    _runtime: runtime.clone(),
                })
            }

            /// The next one; `Ready(None)` when there are no more, `Pending` when none came in
            /// time.
            pub fn next_within(
                &mut self,
                limit: Option<std::time::Duration>,
            ) -> std::task::Poll<Option<$crate::Result<$item>>> {
                use std::task::Poll;
                if self.over {
                    return Poll::Ready(None);
                }
                let mut raw = $empty;
                let mut pending = false;
                // Safety: the stream is ours.
                let said = $crate::error::call(|err| unsafe {
                    let ms = $crate::text::milliseconds(limit);
                    let r = $crate::sys::$next(self.raw.as_ptr(), ms, &mut raw, err);
                    pending = r == -$crate::stream::EAGAIN;
                    r
                });
                match said {
                    Ok(0) => {
                        self.over = true;
                        Poll::Ready(None)
                    }
                    // Safety: the library has filled it, and was asked nothing since.
                    Ok(_) => Poll::Ready(Some(Ok(unsafe { $make(&raw) }))),
                    Err(_) if pending => Poll::Pending,
                    Err(error) => {
                        self.over = true;
                        Poll::Ready(Some(Err(error)))
                    }
                }
            }
        }

        impl Iterator for $name {
            type Item = $crate::Result<$item>;

            fn next(&mut self) -> Option<$crate::Result<$item>> {
                loop {
                    if let std::task::Poll::Ready(event) = self.next_within(None) {
                        return event;
                    }
                }
            }
        }

        impl std::os::unix::io::AsFd for $name {
            fn as_fd(&self) -> std::os::unix::io::BorrowedFd<'_> {
                // Safety: the fd is open as long as the stream.
                unsafe {
                    let fd = $crate::sys::$fd(self.raw.as_ptr());
                    std::os::unix::io::BorrowedFd::borrow_raw(fd)
                }
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // Safety: the stream is ours; its runtime is dropped after this.
                unsafe { $crate::sys::$close(self.raw.as_ptr()) }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("over", &self.over)
                    .finish_non_exhaustive()
            }
        }
    };
}

/// Nothing has come in time.
pub(crate) const EAGAIN: std::os::raw::c_int = 11;

pub(crate) use stream;
