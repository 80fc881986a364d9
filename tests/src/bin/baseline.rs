//! What secateur's speed is compared with: reads each file below a folder, parses it, drops it. One thread.
//!
//! usage: baseline value|typed|ignored FOLDER

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// A report, as far as a program needs it; of other files all members are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "parsed and dropped")]
struct Report {
    arn: Option<String>,
    job_status: Option<String>,
    job_completion_date: Option<String>,
    services_last_accessed: Option<Vec<Service>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "parsed and dropped")]
struct Service {
    service_namespace: String,
    last_authenticated: Option<String>,
    tracked_actions_last_accessed: Option<Vec<Action>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "parsed and dropped")]
struct Action {
    action_name: String,
    last_accessed_time: Option<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args_os().skip(1);
    let (Some(how), Some(folder)) = (words.next(), words.next()) else {
        return Err("usage: baseline value|typed|ignored FOLDER".into());
    };
    for file in files(Path::new(&folder))? {
        let bytes = fs::read(file)?;
        match how.to_str() {
            Some("value") => drop(serde_json::from_slice::<Value>(&bytes)?),
            Some("typed") => drop(serde_json::from_slice::<Report>(&bytes)?),
            Some("ignored") => drop(serde_json::from_slice::<IgnoredAny>(&bytes)?),
            _ => return Err("the first word is one of value, typed, ignored".into()),
        }
    }
    Ok(())
}

/// All files, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
