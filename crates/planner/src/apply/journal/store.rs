//! Where a journal is kept.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Where records go.
pub trait Store {
    /// Adds bytes at the end.
    ///
    /// # Errors
    /// When they cannot be written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when all bytes will outlive a crash.
    ///
    /// # Errors
    /// When that cannot be had.
    fn sync(&mut self) -> io::Result<()>;

    /// Takes away what follows the first bytes.
    ///
    /// # Errors
    /// When that cannot be done.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

/// A file that its owner alone can read.
#[derive(Debug)]
pub struct FileStore {
    file: File,
}

impl FileStore {
    /// Creates a file; one that is there is not touched.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(path: &Path) -> io::Result<FileStore> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        // The name too must outlive a crash.
        sync_folder(path)?;
        Ok(FileStore { file })
    }

    /// Opens a file to go on.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> io::Result<FileStore> {
        OpenOptions::new().append(true).open(path).map(|file| FileStore { file })
    }
}

impl Store for FileStore {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The folder of journals.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// The ending of a journal's name.
const ENDING: &str = ".jsonl";

/// As long as one of these is held, nobody else applies. The system takes it back from a process that dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Folder {
    /// The folder at a path; it need not be there.
    pub fn new(path: PathBuf) -> Folder {
        Folder { path }
    }

    /// Returns the path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns where the journal with that id is.
    pub fn file(&self, id: &str) -> PathBuf {
        self.path.join(format!("{id}{ENDING}"))
    }

    /// Returns the ids of all journals, in the order of the times that they bear.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn ids(&self) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            ids.extend(name.strip_suffix(ENDING).map(str::to_owned));
        }
        ids.sort();
        Ok(ids)
    }

    /// Creates the folder, readable by its owner only.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn prepare(&self) -> io::Result<()> {
        if self.path.is_dir() {
            return Ok(());
        }
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let missing: Vec<PathBuf> = self.path.ancestors().take_while(is_missing).map(Path::to_owned).collect();
        builder.create(&self.path)?;
        // A folder that a crash takes away takes its journals with it.
        for folder in missing {
            sync_folder(&folder)?;
        }
        let above = self.path.parent().filter(|folder| folder.ends_with(".secateur"));
        match above.map(|folder| folder.join(".gitignore")).filter(|ignore| !ignore.exists()) {
            Some(ignore) => std::fs::write(ignore, "*\n"),
            None => Ok(()),
        }
    }

    /// Keeps everybody else out; none when somebody is in.
    ///
    /// # Errors
    /// When the lock cannot be had for another reason.
    #[cfg(feature = "aws")]
    pub fn lock(&self) -> io::Result<Option<Lock>> {
        self.prepare()?;
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(self.path.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }
}
