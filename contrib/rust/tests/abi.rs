//! `src/sys.rs` is what the C headers say. A C file is made from it, with a prototype for each
//! function, a copy of each struct and the value of each constant, and the C compiler is shown both:
//! a signature, a type, an offset or a number that differs does not compile.
//!
//! `$CC` (cc) compiles; the headers are in `$CAISSON_INCLUDE_DIR`, else in this source tree.
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SYS: &str = include_str!("../src/sys.rs");

/// The headers whose every function is here; of those that they include only what is needed is.
const WHOLE: [&str; 2] = ["caisson-runtime.h", "caisson-runtime-images.h"];

fn include_dir() -> PathBuf {
    match env::var_os("CAISSON_INCLUDE_DIR") {
        Some(dir) => dir.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lib"),
    }
}

/// The text without comments and line ends.
fn bare(text: &str) -> String {
    text.lines()
        .map(|l| l.split("//").next().unwrap_or(""))
        .collect::<Vec<_>>()
        .join(" ")
}

/// What stands between `from` and `to`, and the rest behind it.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<(&'a str, &'a str)> {
    let (_, text) = text.split_once(from)?;
    text.split_once(to)
}

/// A Rust type as C: what goes before the name and what behind it.
fn in_c(rust: &str, enums: &BTreeSet<String>) -> (String, String) {
    let rust = rust.trim();
    if let Some(array) = rust.strip_prefix("*mut [") {
        return in_c(&format!("[{array}"), enums); // a parameter
    }
    if let Some(to) = rust.strip_prefix("*mut ") {
        return (format!("{} *", in_c(to, enums).0), String::new());
    }
    if let Some(to) = rust.strip_prefix("*const ") {
        return (format!("{} const *", in_c(to, enums).0), String::new());
    }
    if let Some((of, rest)) = between(rust, "[", ";") {
        let count = rest.trim_end_matches(']').trim();
        return (in_c(of, enums).0, format!("[{count}]"));
    }
    let callback = |c: &str| (format!("__typeof__({c}) *"), String::new());
    let plain = match rust {
        "Option<secret_fn>" => return callback(
            "int(void *, const struct csn_secret *, struct csn_secret_value *, struct csn_error *)",
        ),
        "Option<warn_fn>" => return callback("void(void *, const char *, const char *)"),
        "c_char" => "char",
        "c_int" => "int",
        "c_uint" => "unsigned",
        "c_ushort" => "unsigned short",
        "c_double" => "double",
        "c_void" => "void",
        "bool" => "_Bool",
        "u16" => "uint16_t",
        "u32" => "uint32_t",
        "u64" => "uint64_t",
        "i64" => "int64_t",
        "usize" => "size_t",
        other if enums.contains(other) => return (format!("enum {other}"), String::new()),
        other => return (format!("struct {other}"), String::new()),
    };
    (plain.into(), String::new())
}

/// "name: type" pairs of a struct's members or a function's parameters.
type Pairs = Vec<(String, String)>;

fn pairs(list: &str) -> Pairs {
    list.split(',')
        .filter_map(|p| p.trim().trim_start_matches("pub ").split_once(':'))
        .map(|(name, of)| (name.trim().to_string(), of.trim().to_string()))
        .collect()
}

/// "pub fn name(parameters) -> result;" of an extern block: name, parameters, result.
fn functions(sys: &str) -> Vec<(String, Pairs, String)> {
    let item = |item: &str| {
        let (name, item) = item.split_once('(').expect("a function");
        let (parameters, item) = item.split_once(')').expect("its parameters");
        let result = item.split(';').next().unwrap_or("").trim();
        let result = result.trim_start_matches("->").trim();
        (
            name.trim().to_string(),
            pairs(parameters),
            result.to_string(),
        )
    };
    sys.split("pub fn ").skip(1).map(item).collect()
}

/// "pub struct name { members }": of those that are not opaque.
fn structs(sys: &str) -> Vec<(String, Pairs)> {
    let mut found = Vec::new();
    let mut rest = sys;
    while let Some((item, after)) = between(rest, "pub struct ", "}") {
        let (name, members) = item.split_once('{').expect("a struct");
        if !members.contains("_opaque") {
            found.push((name.trim().to_string(), pairs(members)));
        }
        rest = after;
    }
    found
}

/// A C file that compiles when `sys` is what the headers say.
fn checker(sys: &str) -> String {
    let sys = bare(sys);
    let mut enums = BTreeSet::new();
    let mut rest = sys.as_str();
    while let Some((item, after)) = between(rest, "pub type ", ";") {
        enums.insert(item.split('=').next().unwrap_or("").trim().to_string());
        rest = after;
    }
    let mut c = format!("#include \"{}\"\n", WHOLE[0]);

    for (name, parameters, result) in functions(&sys) {
        let list: Vec<_> = parameters
            .iter()
            .map(|(_, of)| in_c(of, &enums))
            .map(|(before, behind)| format!("{before} {behind}"))
            .collect();
        let list = if list.is_empty() {
            "void".into()
        } else {
            list.join(", ")
        };
        let result = if result.is_empty() {
            "void".into()
        } else {
            in_c(&result, &enums).0
        };
        writeln!(c, "{result} {name}({list});").unwrap();
    }
    for (name, members) in structs(&sys) {
        writeln!(c, "struct rust_{name} {{").unwrap();
        for (member, of) in &members {
            let (before, behind) = in_c(of, &enums);
            writeln!(c, "\t{before} {member}{behind};").unwrap();
        }
        writeln!(
            c,
            "}};\nSAME(sizeof(struct {name}), sizeof(struct rust_{name}));"
        )
        .unwrap();
        for (member, _) in &members {
            let of = |s: &str| format!("offsetof(struct {s}, {member})");
            writeln!(c, "SAME({}, {});", of(&name), of(&format!("rust_{name}"))).unwrap();
            writeln!(c, "SAME_TYPE(struct {name}, struct rust_{name}, {member});").unwrap();
        }
        // A value for each member: -Wmissing-field-initializers finds one that is not here.
        let values: Vec<_> = members
            .iter()
            .map(|(_, of)| if of.contains('[') { "{ 0 }" } else { "0" })
            .collect();
        writeln!(
            c,
            "const struct {name} whole_{name} = {{ {} }};",
            values.join(", ")
        )
        .unwrap();
    }
    let mut rest = sys.as_str();
    while let Some((item, after)) = between(rest, "pub const ", ";") {
        let (name, value) = item.split_once(':').expect("a constant");
        let value = value.split('=').nth(1).unwrap_or("").trim();
        writeln!(c, "SAME({name}, {value});").unwrap();
        rest = after;
    }
    c.replacen(
        '\n',
        "\n#define SAME(a, b) _Static_assert((a) == (b), #a \" is \" #b)\n\
         #define SAME_TYPE(a, b, m) _Static_assert(__builtin_types_compatible_p( \\\n\
         \t__typeof__(((a *)0)->m), __typeof__(((b *)0)->m)), #a \": \" #m)\n",
        1,
    )
}

/// What the C compiler says to it; "" when it is content.
fn compile(c: &str) -> String {
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".into());
    let mut words = compiler.split_whitespace();
    let mut child = Command::new(words.next().expect("$CC"))
        .args(words)
        .args([
            "-std=c11",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-Wno-int-conversion",
            "-fsyntax-only",
        ])
        .arg("-I")
        .arg(include_dir())
        .args(["-x", "c", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a C compiler");
    child
        .stdin
        .take()
        .expect("its input")
        .write_all(c.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.success(), said.is_empty(), "{said}");
    said
}

#[test]
fn declarations_are_the_headers() {
    let said = compile(&checker(SYS));
    assert!(said.is_empty(), "{said}");
}

/// The test above can fail: a change of each sort, and what the compiler then names.
#[test]
fn a_difference_is_found() {
    let rows = [
        (
            "replica: u32,\n    pub node_id: u64",
            "replica: u64,\n    pub node_id: u64",
            "csn_container_id",
        ),
        ("pub paused: bool,\n", "", "csn_container_state"),
        (
            "    pub core_dumped: bool,\n    pub oom_kills: u64",
            "    pub oom_kills: u64,\n    pub core_dumped: bool",
            "csn_wait_outcome",
        ),
        ("pub out: *mut c_char", "pub out: *mut c_void", "out"),
        (
            "CSN_STATE_EXITED: csn_state = 4",
            "CSN_STATE_EXITED: csn_state = 5",
            "CSN_STATE_EXITED",
        ),
        (
            "pub fn csn_rt_close(rt: *mut csn_rt);",
            "pub fn csn_rt_close(rt: *const csn_rt);",
            "csn_rt_close",
        ),
        (
            "pub fn csn_rt_close(rt: *mut csn_rt);",
            "pub fn csn_rt_close(rt: *mut csn_rt) -> c_int;",
            "csn_rt_close",
        ),
        ("pub exit_code: c_int,\n}", "}", "csn_exec_event"),
    ];
    for (from, to, named) in rows {
        assert_ne!(SYS, SYS.replacen(from, to, 1), "{from}");
        let said = compile(&checker(&SYS.replacen(from, to, 1)));
        assert!(said.contains(named), "{from} -> {to}: {said:?}");
    }
}

/// The functions that a header declares.
fn declared(header: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(include_dir().join(header)).unwrap();
    let mut found = BTreeSet::new();
    let mut rest = text.as_str();
    while let Some((item, after)) = between(rest, "\nCSN_API ", ";") {
        let (name, _) = item.split_once('(').expect("a function");
        let name = name
            .rsplit(|c: char| !c.is_alphanumeric() && c != '_')
            .next();
        found.insert(name.unwrap_or("").to_string());
        rest = after;
    }
    found
}

/// Every function of the Runtime interface is declared here, and the safe types use every one.
#[test]
fn nothing_is_missing() {
    let names: BTreeSet<_> = functions(&bare(SYS)).into_iter().map(|f| f.0).collect();
    let header: BTreeSet<_> = WHOLE.iter().flat_map(|h| declared(h)).collect();
    assert!(header.len() > 40, "{header:?}");
    let missing: Vec<_> = header.difference(&names).collect();
    assert!(missing.is_empty(), "src/sys.rs lacks {missing:?}");

    let mut used: BTreeMap<_, _> = names.iter().map(|n| (n, false)).collect();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name() != Some("sys.rs".as_ref()) {
            let text = fs::read_to_string(&path).unwrap();
            let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
            for word in words.map(String::from) {
                if let Some(used) = used.get_mut(&word) {
                    *used = true;
                }
            }
        }
    }
    let unused: Vec<_> = used
        .iter()
        .filter(|(_, used)| !**used)
        .map(|(n, _)| n)
        .collect();
    assert!(unused.is_empty(), "nothing safe calls {unused:?}");
}
