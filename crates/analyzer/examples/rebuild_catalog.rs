//! Rebuilds the tables of the catalogue from a directory of AWS's service reference.
//!
//! `cargo xtask catalog DIR --date YYYY-MM-DD` runs it. DIR holds one JSON file per service, as linked from the index; see
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/service-reference.html>. The date is the day on
//! which the files were fetched: no clock decides what a catalogue claims. All that can be decided without reading or
//! writing files is in the library.

use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use secateur_analyzer::catalog::{Catalog, CatalogChanges, updated_resource_types};
use secateur_analyzer::time::UnixTime;

const USAGE: &str = "\
usage: cargo xtask catalog DIR --date YYYY-MM-DD [--out DIR]

  DIR     files of the AWS service reference, one JSON file per service
  --date  the day on which they were fetched, in UTC
  --out   where actions.tsv, dates.tsv and resource_types.tsv are written
          (default: the catalog folder of secateur-analyzer)";

/// The exit code of a call that cannot be understood.
const USAGE_ERROR: u8 = 64;

/// The names that are printed of each kind of change; the count is always whole.
const NAMES_SHOWN: usize = 20;

struct Arguments {
    reference: PathBuf,
    day: UnixTime,
    out: PathBuf,
}

fn main() -> ExitCode {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let arguments = match parse(words) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("error: {problem}\n\n{USAGE}");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    match rebuild(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn catalog_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog")
}

fn parse(words: Vec<OsString>) -> Result<Arguments, String> {
    let (mut reference, mut day, mut out) = (None, None, None);
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--date") => {
                let text = words.next().ok_or("`--date` needs a day such as 2026-10-10")?;
                let date = text.to_str().and_then(|text| format!("{text}T00:00:00Z").parse().ok());
                day = Some(date.ok_or_else(|| format!("`{}` is not a day such as 2026-10-10", text.display()))?);
            }
            Some("--out") => out = Some(PathBuf::from(words.next().ok_or("`--out` needs a directory")?)),
            Some(flag) if flag.starts_with('-') => return Err(format!("unknown flag `{flag}`")),
            _ if reference.is_none() => reference = Some(PathBuf::from(word)),
            _ => return Err(format!("one directory is enough; what is `{}`?", word.display())),
        }
    }
    Ok(Arguments {
        reference: reference.ok_or("the directory of the service reference is missing")?,
        day: day.ok_or("`--date` is missing: on which day were the files fetched?")?,
        out: out.unwrap_or_else(catalog_folder),
    })
}

fn rebuild(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let files = reference_files(&arguments.reference)?;
    let types = catalog_folder().join("resource_types.tsv");
    let types = fs::read_to_string(&types).map_err(|error| format!("{}: {error}", types.display()))?;
    let types = updated_resource_types(&types, &files)?;
    let (catalog, changes) = Catalog::updated(Catalog::embedded(), &files, arguments.day)?;
    let dates = catalog.dates();
    fs::create_dir_all(&arguments.out)?;
    // The dates come last: a run that is cut off leaves a catalogue that looks older than it is, never younger.
    for (name, text) in
        [("actions.tsv", catalog.actions_table()), ("resource_types.tsv", &types), ("dates.tsv", &dates.table())]
    {
        write(&arguments.out.join(name), text)?;
    }
    println!("{} actions; names of {}, flags of {}", catalog.len(), dates.names.date(), dates.flags.date());
    show(&changes);
    Ok(())
}

/// Reads the JSON files of a directory in order of their names, which are also the names in messages.
fn reference_files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let at = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| at(folder, error))? {
        let path = entry.map_err(|error| at(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(format!("{}: no JSON file", folder.display()));
    }
    paths.sort();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let bytes = fs::read(&path).map_err(|error| at(&path, error))?;
        files.push((path.display().to_string(), bytes));
    }
    Ok(files)
}

/// Writes a file aside and renames it, so that no one ever reads half a table.
fn write(path: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    let aside = path.with_extension("tsv.new");
    fs::write(&aside, text)
        .and_then(|()| fs::rename(&aside, path))
        .map_err(|error| format!("{}: {error}", path.display()).into())
}

fn show(changes: &CatalogChanges) {
    for (what, names) in [
        ("new actions", &changes.added),
        ("actions gone from the reference (kept, tracking unknown)", &changes.removed),
        ("actions newly tracked", &changes.newly_tracked),
        ("actions no longer tracked", &changes.no_longer_tracked),
        ("authorized actions in no row (left out)", &changes.unresolved),
        ("services without a file (rows kept, dates not moved)", &changes.missing_services),
    ] {
        println!("{} {what}", names.len());
        for name in names.iter().take(NAMES_SHOWN) {
            println!("    {name}");
        }
        if names.len() > NAMES_SHOWN {
            println!("    ... and {} more", names.len() - NAMES_SHOWN);
        }
    }
}
