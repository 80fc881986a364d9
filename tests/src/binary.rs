//! Binaries of this workspace, built by cargo and found where cargo says they are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// What cargo is to build.
#[derive(Clone, Copy, Debug)]
pub struct Build<'a> {
    /// The package.
    pub package: &'a str,
    /// Its binary, or its example.
    pub binary: &'a str,
    /// What it is to cargo: `bin` or `example`.
    pub kind: &'a str,
    /// More arguments: the profile, features.
    pub more: &'a [&'a str],
}

/// Returns the path of the binary `secateur`, which is built first, once per process.
///
/// # Panics
/// When the binary does not build.
#[expect(clippy::panic, reason = "a test without its binary can only fail, and says why")]
pub fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let build = Build { package: "secateur", binary: "secateur", kind: "bin", more: &[] };
    BINARY.get_or_init(|| built(&build).unwrap_or_else(|error| panic!("{error}"))).clone()
}

/// Returns the path of the binary `secateur` as it is shipped, optimised. It is built first, once per process.
///
/// # Panics
/// When the binary does not build.
#[expect(clippy::panic, reason = "a test without its binary can only fail, and says why")]
pub fn release_binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let build = Build { package: "secateur", binary: "secateur", kind: "bin", more: &["--release"] };
    BINARY.get_or_init(|| built(&build).unwrap_or_else(|error| panic!("{error}"))).clone()
}

/// Builds a binary and returns its path.
///
/// The path is what cargo says it is. To guess it from the layout of `target` finds a stale binary, or none, when the
/// profile, the target or the target folder is another.
///
/// # Errors
/// When it does not build; what went wrong.
pub fn built(build: &Build<'_>) -> Result<PathBuf, String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Cargo tells a test of its own package. A build that inherits that takes `ring`, whose build script looks at these, and all
    // above it for changed, and so does the next one that does not.
    let is_of_package = |name: &str| {
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_BIN_")
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_of_package)) {
        cargo.env_remove(name);
    }
    // A build of another selection of packages has other features of what they share, and builds the SDK of AWS once more: where
    // all was built with the real clients, as CI does, what was built serves.
    let is_of_all = cfg!(feature = "sdk") && !build.more.contains(&"--release");
    let selection: &[&str] = match is_of_all {
        true => &["--workspace", "--features", "secateur-tests/sdk"],
        false => &["--package", build.package],
    };
    let output = cargo
        .args(["build", "--locked", "--message-format=json-render-diagnostics"])
        .args(selection)
        .args([&format!("--{}", build.kind), build.binary])
        .args(build.more)
        .arg("--manifest-path")
        .arg(manifest)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("`cargo build --package {}` failed: {}", build.package, output.status));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let found = executable(&messages, build.kind, build.binary);
    found.ok_or_else(|| format!("cargo names no {} `{}`:\n{messages}", build.kind, build.binary))
}

/// Finds a binary in cargo's messages, see <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>.
fn executable(messages: &str, kind: &str, binary: &str) -> Option<PathBuf> {
    let parsed = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let is_binary = |message: &Value| {
        let target = message.get("target");
        let kinds = target.and_then(|target| target.get("kind")).and_then(Value::as_array);
        target.and_then(|target| target.get("name")).is_some_and(|name| name == binary)
            && kinds.is_some_and(|kinds| kinds.iter().any(|own| own == kind))
    };
    parsed.filter(is_binary).find_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_told_from_the_library_of_the_same_name() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"secateur"},"executable":null}
not a message
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"other"},"executable":"/t/other"}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"secateur"},"executable":"/t/secateur"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages, "bin", "secateur"), Some(PathBuf::from("/t/secateur")));
        assert_eq!(executable("{}", "bin", "secateur"), None);
    }
}
