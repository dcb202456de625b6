//! Finds libcaisson: in `$CAISSON_LIB_DIR` (a build tree, or a place of one's own), else as
//! pkg-config says, else where the linker looks anyway.
use std::env;
use std::process::Command;

/// The words of `pkg-config --libs-only-L caisson`.
fn pkg_config() -> Option<String> {
    let tool = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".into());
    let output = Command::new(tool)
        .args(["--libs-only-L", "caisson"])
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8(output.stdout).ok()
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=CAISSON_LIB_DIR");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    if let Ok(dir) = env::var("CAISSON_LIB_DIR") {
        println!("cargo:rustc-link-search=native={dir}");
        // So that the tests run from a build tree; what depends on this crate does not inherit it.
        println!("cargo:rustc-link-arg=-Wl,-rpath,{dir}");
    } else if let Some(words) = pkg_config() {
        for dir in words
            .split_whitespace()
            .filter_map(|w| w.strip_prefix("-L"))
        {
            println!("cargo:rustc-link-search=native={dir}");
        }
    }
    println!("cargo:rustc-link-lib=dylib=caisson");
}
