//! Streams and files.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use tempfile::NamedTempFile;

use super::failure::Failure;
use crate::render::Style;

/// Prints the product. A reader that went away (`| head`) is no error.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    print_pieces(&[text])
}

/// Prints the product, which is large, piece by piece.
pub(super) fn print_pieces(pieces: &[impl AsRef<str>]) -> Result<(), Failure> {
    let stdout = io::stdout();
    let pieces = pieces.iter().map(AsRef::as_ref);
    let written = match anstream::AutoStream::choice(&stdout) {
        anstream::ColorChoice::Never => {
            let mut buffered = io::BufWriter::new(stdout.lock());
            let mut written = Ok(());
            for text in pieces {
                written = written.and_then(|()| match is_plain(text) {
                    true => buffered.write_all(text.as_bytes()),
                    // A text without its colours goes out in small pieces.
                    false => {
                        let mut rest = anstream::adapter::strip_str(text);
                        rest.try_for_each(|piece| buffered.write_all(piece.as_bytes()))
                    }
                });
            }
            written.and_then(|()| buffered.flush())
        }
        _ => {
            let mut stdout = anstream::stdout().lock();
            let mut pieces = pieces;
            pieces.try_for_each(|text| stdout.write_all(text.as_bytes())).and_then(|()| stdout.flush())
        }
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::error("io", format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Returns the style for what is printed: colours that would be taken out again are not written at all.
pub(super) fn style() -> Style {
    match anstream::AutoStream::choice(&io::stdout()) {
        anstream::ColorChoice::Never => Style::Plain,
        _ => Style::Ansi,
    }
}

/// Whether there is nothing to take out of the text.
fn is_plain(text: &str) -> bool {
    const CHUNK: usize = 64;
    let is_plain = |byte: u8| matches!(byte, b'\n' | b'\t' | b' '..=b'~');
    // Without a way out in between, the bytes of a chunk are looked at at once.
    text.as_bytes().chunks(CHUNK).all(|chunk| chunk.iter().fold(true, |all, byte| all & is_plain(*byte)))
}

/// Returns a value as indented JSON, with a line break at the end.
pub(super) fn json(value: &impl Serialize) -> Result<String, Failure> {
    let json = serde_json::to_string_pretty(value).map_err(|error| Failure::error("io", error.to_string()))?;
    Ok(format!("{json}\n"))
}

/// Writes a value as indented JSON, with a line break at the end, to a file as [`write_file`] does; the text as a whole never
/// stands in memory.
///
/// It is not waited for until the disk has it: a plan that a power cut tears is refused by its digest, and made once more.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    write_with(
        path,
        |_| Ok(()),
        |file| {
            let mut buffered = io::BufWriter::with_capacity(1 << 16, file);
            serde_json::to_writer_pretty(&mut buffered, value)?;
            buffered.write_all(b"\n")?;
            buffered.flush()
        },
    )
}

/// Tells something beside the product.
pub(super) fn note(text: &str) {
    // A note that nobody can read is no reason to fail.
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Writes a file whole or not at all, readable by its owner only: plans name principals, policies and account ids.
///
/// A link is followed. What is there and is no file, such as a pipe or `/dev/null`, is written to and not replaced.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_with(path, fs::File::sync_all, |file| file.write_all(bytes))
}

fn write_with(
    path: &Path,
    sync: impl FnOnce(&fs::File) -> io::Result<()>,
    write: impl FnOnce(&mut fs::File) -> io::Result<()>,
) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::io("write", path, &error);
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Ok(metadata) = fs::metadata(&target)
        && !metadata.is_file()
    {
        let mut opened = fs::OpenOptions::new().write(true).open(&target).map_err(failed)?;
        return write(&mut opened).map_err(failed);
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    prepare_folder(folder).map_err(failed)?;
    let mut file = NamedTempFile::new_in(folder).map_err(failed)?;
    write(file.as_file_mut()).and_then(|()| sync(file.as_file())).map_err(failed)?;
    file.persist(&target).map_err(|error| Failure::io("write", path, &error.error))?;
    Ok(())
}

/// Creates the folder for state that a path within it stands in.
#[cfg(feature = "aws")]
pub(super) fn prepare_state(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent() else { return Ok(()) };
    prepare_folder(folder).map_err(|error| Failure::io("create", folder, &error))
}

/// Creates a folder, readable by its owner only. The folder `.secateur` is kept out of git, whoever made it.
fn prepare_folder(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let ignore = folder.join(".gitignore");
    if folder.ends_with(".secateur") && !ignore.exists() {
        fs::write(ignore, "*\n")?;
    }
    Ok(())
}
