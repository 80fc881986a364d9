//! The built binary `secateur`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// Returns the path of the binary `secateur`, which is built first, once per process.
///
/// The path is what cargo says it is. To guess it from the layout of `target` finds a stale binary, or none, when the
/// profile, the target or the target folder is another.
///
/// # Panics
/// When the binary does not build.
pub fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| build(&[])).clone()
}

/// Returns the path of the binary `secateur` as it is shipped, optimised. It is built first, once per process.
///
/// # Panics
/// When the binary does not build.
pub fn release_binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| build(&["--release"])).clone()
}

#[expect(clippy::panic, reason = "a test without its binary can only fail, and says why")]
fn build(profile: &[&str]) -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--locked", "--package", "secateur", "--message-format=json-render-diagnostics"])
        .args(profile)
        .arg("--manifest-path")
        .arg(manifest)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .unwrap_or_else(|error| panic!("cargo does not start: {error}"));
    assert!(output.status.success(), "`cargo build --package secateur` failed: {}", output.status);
    let messages = String::from_utf8_lossy(&output.stdout);
    executable(&messages).unwrap_or_else(|| panic!("cargo names no binary `secateur`:\n{messages}"))
}

/// Finds the binary in cargo's messages, see <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>.
fn executable(messages: &str) -> Option<PathBuf> {
    let parsed = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let is_binary = |message: &Value| {
        let target = message.get("target");
        let kinds = target.and_then(|target| target.get("kind")).and_then(Value::as_array);
        target.and_then(|target| target.get("name")).is_some_and(|name| name == "secateur")
            && kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "bin"))
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
        assert_eq!(executable(messages), Some(PathBuf::from("/t/secateur")));
        assert_eq!(executable("{}"), None);
    }
}
