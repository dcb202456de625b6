//! Texts and lists between Rust and C.
use std::ffi::{CStr, CString, OsStr};
use std::os::raw::c_char;
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};
use crate::sys;

/// A text for the library; `what` names it in the error when it cannot be one.
pub(crate) fn to_c(what: &str, text: impl AsRef<[u8]>) -> Result<CString> {
    CString::new(text.as_ref())
        .map_err(|_| Error::InvalidSpec(format!("{what} contains a byte of value 0")))
}

/// As `to_c`, of a text that may be missing.
pub(crate) fn to_c_option(what: &str, text: Option<&str>) -> Result<Option<CString>> {
    text.map(|t| to_c(what, t)).transpose()
}

/// The pointer to a text that may be missing; it is good as long as the text lives.
pub(crate) fn pointer(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(ptr::null(), |t| t.as_ptr())
}

/// A list of texts that ends with a null pointer, as argv is.
pub(crate) struct List {
    _texts: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl List {
    pub(crate) fn new<S: AsRef<OsStr>>(what: &str, words: &[S]) -> Result<List> {
        let texts = words
            .iter()
            .map(|w| to_c(what, w.as_ref().as_bytes()))
            .collect::<Result<Vec<_>>>()?;
        let mut pointers: Vec<_> = texts.iter().map(|t| t.as_ptr()).collect();
        pointers.push(ptr::null());
        Ok(List {
            _texts: texts,
            pointers,
        })
    }

    pub(crate) fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

/// A copy of a text of the library, "" for a null pointer. Bytes that are no UTF-8 become U+FFFD.
///
/// # Safety
/// `text` is null or points to a text that ends with a 0.
pub(crate) unsafe fn from_pointer(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    CStr::from_ptr(text).to_string_lossy().into_owned()
}

/// As `from_pointer`; None for a null pointer and for "".
///
/// # Safety
/// As for `from_pointer`.
pub(crate) unsafe fn from_pointer_option(text: *const c_char) -> Option<String> {
    Some(from_pointer(text)).filter(|t| !t.is_empty())
}

/// As `from_pointer`, whatever the bytes are.
///
/// # Safety
/// As for `from_pointer`.
pub(crate) unsafe fn raw(text: *const c_char) -> Vec<u8> {
    if text.is_null() {
        return Vec::new();
    }
    CStr::from_ptr(text).to_bytes().to_vec()
}

/// A copy of bytes of the library; nothing for a null pointer.
///
/// # Safety
/// `bytes` is null or points to that many.
pub(crate) unsafe fn bytes(bytes: *const c_char, size: usize) -> Vec<u8> {
    if bytes.is_null() {
        return Vec::new();
    }
    std::slice::from_raw_parts(bytes.cast::<u8>(), size).to_vec()
}

/// An array of the library; empty for a null pointer.
///
/// # Safety
/// `at` is null or points to that many, which live as long as the slice is used.
pub(crate) unsafe fn slice<'a, T>(at: *const T, count: usize) -> &'a [T] {
    if at.is_null() {
        return &[];
    }
    std::slice::from_raw_parts(at, count)
}

/// The text in an array: up to its 0, or all of it.
pub(crate) fn from_array(text: &[c_char]) -> String {
    let bytes: Vec<u8> = text
        .iter()
        .take_while(|c| **c != 0)
        .map(|c| *c as u8)
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Copies a text into an array, cut so that a 0 is behind it.
pub(crate) fn into_array(text: &str, array: &mut [c_char]) {
    let most = array.len().saturating_sub(1);
    for (to, from) in array.iter_mut().take(most).zip(text.bytes()) {
        *to = from as c_char;
    }
}

/// Copies of the texts of a list that ends with a null pointer; null is an empty one.
///
/// # Safety
/// `list` is null or such a list.
pub(crate) unsafe fn list(list: *const *const c_char) -> Vec<String> {
    let mut texts = Vec::new();
    let mut at = list;
    while !at.is_null() && !(*at).is_null() {
        texts.push(from_pointer(*at));
        at = at.add(1);
    }
    texts
}

/// Copies a list of texts of the library and frees it.
///
/// # Safety
/// `list` is null or a list that nobody else frees.
pub(crate) unsafe fn take_list(list: *mut sys::csn_texts) -> Vec<String> {
    let texts = (0..sys::csn_texts_count(list))
        .map(|i| from_pointer(sys::csn_texts_get(list, i)))
        .collect();
    sys::csn_texts_free(list);
    texts
}

/// Takes a text that the library gave out.
///
/// # Safety
/// `text` came out of the library as a text to be freed.
pub(crate) unsafe fn take(text: *mut c_char) -> String {
    let copy = from_pointer(text);
    sys::csn_free(text.cast());
    copy
}

/// Nanoseconds since 1970 as the library tells times; None for 0, its "unknown".
pub(crate) fn time(ns: i64) -> Option<SystemTime> {
    let distance = Duration::from_nanos(ns.unsigned_abs());
    match ns {
        0 => None,
        1.. => SystemTime::UNIX_EPOCH.checked_add(distance),
        _ => SystemTime::UNIX_EPOCH.checked_sub(distance),
    }
}

/// The opposite; what does not fit is unknown.
pub(crate) fn time_ns(time: Option<SystemTime>) -> i64 {
    let since = time.and_then(|t| t.duration_since(SystemTime::UNIX_EPOCH).ok());
    since
        .and_then(|d| i64::try_from(d.as_nanos()).ok())
        .unwrap_or(0)
}

/// A limit in whole milliseconds, rounded up; -1 for none.
pub(crate) fn milliseconds(limit: Option<Duration>) -> std::os::raw::c_int {
    limit.map_or(-1, |l| {
        let ms = (l.as_nanos() + 999_999) / 1_000_000;
        i32::try_from(ms).unwrap_or(i32::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_rounded_up() {
        assert_eq!(milliseconds(None), -1);
        assert_eq!(milliseconds(Some(Duration::ZERO)), 0);
        assert_eq!(milliseconds(Some(Duration::from_nanos(1))), 1);
        assert_eq!(milliseconds(Some(Duration::from_millis(250))), 250);
        assert_eq!(milliseconds(Some(Duration::MAX)), i32::MAX);
    }

    #[test]
    fn times_come_back() {
        assert_eq!(time(0), None);
        assert_eq!(
            time_ns(time(1_700_000_000_123_456_789)),
            1_700_000_000_123_456_789
        );
        assert!(time(-1) < Some(SystemTime::UNIX_EPOCH));
    }

    #[test]
    fn arrays_are_cut() {
        let mut array = [0; 4];
        into_array("abcdef", &mut array);
        assert_eq!(from_array(&array), "abc");
    }

    #[test]
    fn a_zero_in_a_text_is_told_by_name() {
        let error = to_c("signal", "a\0b").map(drop);
        assert_eq!(
            error,
            Err(Error::InvalidSpec(
                "signal contains a byte of value 0".into()
            ))
        );
    }
}
