//! JSON texts, and what can be wrong with them.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use super::SnapshotError;
use super::inventory::SnapshotFile;

/// Returns the text of a file, without a byte order mark; none when it is not UTF-8.
pub(super) fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(without_mark(bytes)).ok()
}

/// PowerShell 5 begins UTF-8 files with a byte order mark, which a parser may ignore (RFC 8259, section 8.1).
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Parses a file; `T` may borrow from `bytes`.
pub(super) fn parse<'a, T: Deserialize<'a>>(file: &SnapshotFile, bytes: &'a [u8]) -> Result<T, SnapshotError> {
    let text = without_mark(bytes);
    // What is UTF-8 as a whole needs not be looked at string by string.
    let parsed = match std::str::from_utf8(text) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(text),
    };
    let parsed = parsed.map_err(|error| refused(file, bytes, &error))?;
    // A list of the right things can be read as an object; AWS prints objects.
    if text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        let (path, remedy) = (file.path.clone(), file.place.remedy(&file.path));
        let detail = "a list, and an object belongs here".to_owned();
        return Err(SnapshotError::WrongShape { path, line: 1, column: 1, detail, remedy });
    }
    Ok(parsed)
}

fn refused(file: &SnapshotFile, bytes: &[u8], error: &serde_json::Error) -> SnapshotError {
    let path = file.path.clone();
    let (line, column) = (error.line(), error.column());
    let remedy = file.place.remedy(&path);
    match error.classify() {
        Category::Data => SnapshotError::WrongShape { path, line, column, detail: detail(error), remedy },
        // What `>` writes in PowerShell 5.
        _ if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") => {
            let detail = "the text is UTF-16, and JSON is UTF-8".to_owned();
            SnapshotError::NotJson { path, line, column, detail, remedy }
        }
        _ => SnapshotError::NotJson { path, line, column, detail: detail(error), remedy },
    }
}

/// Returns the parser's words without the place, and without names of Rust types.
fn detail(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let detail = message.rsplit_once(" at line ").map_or(message.as_str(), |(head, _)| head);
    match detail.rsplit_once(", expected ") {
        Some((found, "i64" | "u32")) => format!("{found}, expected an integer"),
        Some((found, "a sequence")) => format!("{found}, expected a list"),
        Some((found, "a map")) => format!("{found}, expected an object"),
        _ => detail.to_owned(),
    }
}

/// Prints a value as a file of secateur's own: indented, with a newline at the end.
pub(crate) fn print(mut into: impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut into, value)?;
    into.write_all(b"\n")
}
