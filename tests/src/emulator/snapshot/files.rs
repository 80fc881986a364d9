//! Files of a snapshot, and the members of what is in them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::emulator::time::Time;

/// Reads a file; none if it is not there.
pub fn read(path: &Path) -> Result<Option<Value>, String> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| format!("{}: {error}", path.display()))
}

/// Reads all files of a folder and of those below it, in the order of their paths.
pub fn all(folder: &Path) -> Result<Vec<Value>, String> {
    let mut paths = Vec::new();
    walk(folder, &mut paths)?;
    paths.sort();
    let read = |path: &PathBuf| read(path).transpose();
    paths.iter().filter_map(read).collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("{}: {error}", folder.display())),
    };
    for entry in entries {
        let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
        if path.is_dir() {
            walk(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    Ok(())
}

/// A member that is a text.
pub fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// A member that is a time.
pub fn time(value: &Value, name: &str) -> Option<Time> {
    match value.get(name)? {
        Value::String(text) => Time::parse(text),
        number => Time::parse(&number.to_string()),
    }
}

/// A list.
pub fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// A policy document: percent-encoded, as plain text, or as an object, of which the layout is lost.
pub fn document(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) if text.trim_start().starts_with('%') => {
            percent_decode_str(text).decode_utf8_lossy().into_owned()
        }
        Some(Value::String(text)) => text.clone(),
        Some(object) => object.to_string(),
        None => String::new(),
    }
}
