//! What a plan is made from: the configuration and the snapshot, found on disk.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use secateur_analyzer::account::Account;
use secateur_analyzer::analysis::{Analysis, Inputs, default_now};
use secateur_analyzer::document::sha256_of;
use secateur_analyzer::time::UnixTime;
use secateur_collector::{ReadOptions, account_dirs};

use super::config::{self, Config};
use super::failure::Failure;
use super::flags::{Globals, SnapshotArgs};
use crate::plan::{InputFile, PlanOptions, Selection};

/// The name of the configuration.
const CONFIG: &str = "secateur.toml";
/// The folder for state, beside the configuration.
const STATE: &str = ".secateur";

/// Where the state lives, and what the configuration says.
#[derive(Debug)]
pub(super) struct Workspace {
    /// The directory of the configuration; the working directory without one.
    pub root: PathBuf,
    /// The configuration, and where it is.
    pub config_file: Option<InputFile>,
    /// What it says, or the defaults.
    pub config: Config,
}

impl Workspace {
    /// Finds and reads the configuration.
    pub fn find(globals: &Globals) -> Result<Workspace, Failure> {
        let path = match &globals.config {
            Some(path) => Some(path.clone()),
            None => search()?,
        };
        match path {
            Some(path) => Workspace::at(&path),
            None => Ok(Workspace { root: PathBuf::new(), config_file: None, config: Config::default() }),
        }
    }

    /// Reads the configuration at a path.
    pub fn at(path: &Path) -> Result<Workspace, Failure> {
        let bytes = std::fs::read(path).map_err(|error| Failure::io("read", path, &error))?;
        let config = config::parse(path, &bytes)?;
        let root = path.parent().map(Path::to_owned).unwrap_or_default();
        let name =
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        let config_file = InputFile { path: name, sha256: sha256_of(&bytes) };
        Ok(Workspace { root, config_file: Some(config_file), config })
    }

    /// Returns the path of something in the folder for state.
    pub fn state(&self, name: &str) -> PathBuf {
        self.root.join(STATE).join(name)
    }

    /// Returns the snapshot's directory: the one given, else that of the folder for state.
    pub fn snapshot_dir(&self, args: &SnapshotArgs) -> Result<PathBuf, Failure> {
        let dir = args.snapshot.clone().unwrap_or_else(|| self.state("snapshot"));
        if args.snapshot.is_none() && !dir.exists() {
            return Err(Failure::error("no-snapshot", format!("there is no snapshot at `{}`", dir.display()))
                .help("`secateur collect` makes one; or name one with --snapshot DIR"));
        }
        pick_account(&dir, args.account.as_deref())
    }
}

/// The nearest configuration, from the working directory upwards, by its path from the working directory.
fn search() -> Result<Option<PathBuf>, Failure> {
    let start = std::env::current_dir().map_err(|error| Failure::io("read", Path::new("."), &error))?;
    let mut relative = PathBuf::new();
    for folder in start.ancestors() {
        // Also what is no file, or leads nowhere: to pass over it would remove what its rules protect.
        if folder.join(CONFIG).symlink_metadata().is_ok() {
            return Ok(Some(relative.join(CONFIG)));
        }
        relative.push("..");
    }
    Ok(None)
}

/// One account's directory.
fn pick_account(dir: &Path, account: Option<&str>) -> Result<PathBuf, Failure> {
    let dirs = account_dirs(dir).map_err(|error| Failure::snapshot(&error))?;
    let id = |dir: &Path| dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match (account, dirs.as_slice()) {
        (None, [only]) => Ok(only.clone()),
        (Some(_), [only]) if only == dir => Ok(only.clone()),
        (Some(account), _) => dirs.iter().find(|dir| id(dir) == account).cloned().ok_or_else(|| {
            let have: Vec<String> = dirs.iter().map(|dir| id(dir)).collect();
            Failure::error("no-snapshot", format!("`{}` has no account `{account}`", dir.display()))
                .help(format!("it has {}", have.join(", ")))
        }),
        (None, _) => {
            let have: Vec<String> = dirs.iter().map(|dir| id(dir)).collect();
            Err(Failure::usage(format!("`{}` holds several accounts", dir.display()))
                .help(format!("choose one with --account: {}", have.join(", "))))
        }
    }
}

/// Reads a snapshot.
pub(super) fn read_snapshot(dir: &Path, account: Option<&str>, threads: NonZeroUsize) -> Result<Account, Failure> {
    let read = secateur_collector::read(dir, &ReadOptions { threads }).map_err(|error| Failure::snapshot(&error))?;
    match account.filter(|account| *account != read.id) {
        None => Ok(read),
        Some(other) => Err(Failure::error(
            "no-snapshot",
            format!("`{}` is a snapshot of account {}, not of `{other}`", dir.display(), read.id),
        )
        .help(format!("name the snapshot of `{other}` with --snapshot DIR"))),
    }
}

/// Returns how many threads to use: as many as asked for, else one per core.
pub(super) fn cores(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    asked.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

impl Workspace {
    /// Names a snapshot in a plan: seen from the directory of the configuration, so that the plan is the same from wherever
    /// it is made and can be verified from wherever it is.
    pub fn snapshot_file(&self, dir: &Path, account: &Account) -> InputFile {
        let seen = self.seen_from_root(dir).unwrap_or_else(|| dir.to_owned());
        let parts: Vec<_> = seen.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let path = if dir.is_absolute() { dir.display().to_string() } else { parts.join("/") };
        InputFile { path, sha256: account.snapshot_sha256 }
    }

    /// Finds what a plan names.
    pub fn find_input(&self, file: &InputFile) -> PathBuf {
        self.root.join(&file.path)
    }

    /// Names a file as seen from the directory of the configuration; as it is given when it cannot be.
    #[cfg(feature = "aws")]
    pub fn seen(&self, path: &Path) -> Option<String> {
        let seen = if path.is_absolute() { None } else { self.seen_from_root(path) };
        Some(seen.unwrap_or_else(|| path.to_owned()).display().to_string())
    }

    fn seen_from_root(&self, path: &Path) -> Option<PathBuf> {
        let root = if self.root.as_os_str().is_empty() { Path::new(".") } else { &self.root };
        let (root, path) = (root.canonicalize().ok()?, path.canonicalize().ok()?);
        let common = root.components().zip(path.components()).take_while(|(a, b)| a == b).count();
        let up = root.components().skip(common).map(|_| std::path::Component::ParentDir);
        let seen: PathBuf = up.chain(path.components().skip(common)).collect();
        Some(if seen.as_os_str().is_empty() { PathBuf::from(".") } else { seen })
    }
}

/// An account and what it is judged by, read from disk.
pub(super) struct Loaded {
    pub workspace: Workspace,
    pub dir: PathBuf,
    pub account: Account,
    pub older: Option<(PathBuf, Account)>,
    pub threads: NonZeroUsize,
    now: Option<UnixTime>,
}

impl Loaded {
    /// Reads the configuration, the snapshot, and the older one.
    pub fn read(globals: &Globals, args: &SnapshotArgs) -> Result<Loaded, Failure> {
        let workspace = Workspace::find(globals)?;
        let threads = cores(args.threads);
        let dir = workspace.snapshot_dir(args)?;
        let account = read_snapshot(&dir, args.account.as_deref(), threads)?;
        let older = match &args.older_snapshot {
            Some(dir) => Some((dir.clone(), read_snapshot(dir, Some(&account.id), threads)?)),
            None => None,
        };
        Ok(Loaded { workspace, dir, account, older, threads, now: args.now })
    }

    /// How a plan of this is made.
    pub fn plan_options(&self, selection: Selection) -> PlanOptions {
        let workspace = &self.workspace;
        PlanOptions {
            rewrite: workspace.config.rewrite,
            limits: workspace.config.limits,
            selection,
            snapshot: workspace.snapshot_file(&self.dir, &self.account),
            older_snapshot: self.older.as_ref().map(|(dir, older)| workspace.snapshot_file(dir, older)),
            config: workspace.config_file.clone(),
        }
    }

    /// Refuses to write over what is read: the configuration, or a file of a snapshot.
    pub fn refuse_as_output(&self, path: &Path, globals: &Globals) -> Result<(), Failure> {
        let real = |path: &Path| {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            path.canonicalize().ok().or_else(|| Some(folder.canonicalize().ok()?.join(path.file_name()?)))
        };
        let Some(target) = real(path) else { return Ok(()) };
        let config = globals
            .config
            .clone()
            .or_else(|| self.workspace.config_file.as_ref().map(|_| self.workspace.root.join(CONFIG)));
        if config.as_deref().and_then(real).is_some_and(|config| config == target) {
            let message = format!("`{}` is the configuration: the plan would replace it", path.display());
            return Err(Failure::usage(message).help("name another file with --out"));
        }
        let mut snapshots = std::iter::once(&self.dir).chain(self.older.iter().map(|(dir, _)| dir));
        if snapshots.any(|dir| dir.canonicalize().is_ok_and(|dir| target.starts_with(dir))) {
            let message = format!("`{}` lies within the snapshot", path.display());
            return Err(Failure::usage(message).help("name a file outside of it with --out"));
        }
        Ok(())
    }

    /// Judges the account.
    pub fn analysis(&self) -> Result<Analysis<'_>, Failure> {
        let config = &self.workspace.config;
        Analysis::new(Inputs {
            account: &self.account,
            older: self.older.as_ref().map(|(_, older)| older),
            settings: &config.settings,
            rules: &config.rules,
            now: self.now.unwrap_or_else(|| default_now(&self.account)),
            threads: self.threads,
        })
        .map_err(|error| Failure::analysis(&error))
    }
}
