//! This machine's clock, and whoever presses Ctrl-C.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secateur_analyzer::time::UnixTime;

use crate::apply::Clock;
use crate::cli::{Exit, interrupts, journals, output};
use crate::render::visible;

/// What an interrupt does now.
#[derive(Debug)]
enum Phase {
    /// Nothing is written to AWS yet: it ends the process, and what was read goes.
    Reading(Option<PathBuf>),
    /// Calls in flight are waited for.
    Writing,
}

/// This machine's clock, and whoever presses Ctrl-C.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Wall {
    interrupts: Arc<AtomicUsize>,
    phase: Arc<Mutex<Phase>>,
    /// The journal that the command is about, where there is one.
    earlier: Arc<Mutex<Option<Earlier>>>,
}

/// What an earlier command has done, and what there is to do about it.
#[derive(Debug)]
pub(in crate::cli) struct Earlier {
    /// A sentence.
    pub done: String,
    /// The commands, where its journal is open.
    pub ways: Option<String>,
}

impl Clock for Wall {
    fn now(&self) -> UnixTime {
        journals::now()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }

    fn is_interrupted(&self) -> bool {
        self.interrupts.load(Ordering::SeqCst) > 0
    }
}

impl Wall {
    /// Listens, before anything is asked of AWS. Before the first write, Ctrl-C or SIGTERM ends it; then the first ends it after
    /// the calls in flight, and the second at once.
    pub fn listen() -> Wall {
        let phase = Arc::new(Mutex::new(Phase::Reading(None)));
        let wall = Wall { interrupts: Arc::default(), phase, earlier: Arc::default() };
        let listening = wall.clone();
        // Where nobody can listen, an interrupt ends the process, and the journal says how far it was.
        interrupts::on_each(move || listening.interrupt());
        wall
    }

    /// The command is about an earlier one: whoever ends it hears what that has done.
    pub fn is_about(&self, earlier: Earlier) {
        *self.earlier.lock().unwrap_or_else(PoisonError::into_inner) = Some(earlier);
    }

    /// Something is read into a folder that goes with the process.
    pub fn reads_into(&self, folder: &Path) {
        *self.phase() = Phase::Reading(Some(folder.to_owned()));
    }

    /// What was read is not needed any more.
    pub fn has_read(&self) {
        *self.phase() = Phase::Reading(None);
    }

    /// From now on there are calls that must not be cut off.
    pub fn writes(&self) {
        *self.phase() = Phase::Writing;
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn interrupt(&self) {
        // Held to the end: nothing is written once it is found that nothing was.
        let phase = self.phase();
        if let Phase::Reading(folder) = &*phase {
            folder.iter().for_each(|folder| remove(folder));
            let earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
            let exit = match &*earlier {
                None => {
                    output::note("\nInterrupt received: nothing was changed.");
                    Exit::Error
                }
                Some(Earlier { done, ways }) => {
                    output::note(&format!("\nInterrupt received: nothing more was changed. {}", visible(done)));
                    ways.iter().for_each(|ways| output::note(&format!("  help: {}", visible(ways))));
                    if ways.is_some() { Exit::Partly } else { Exit::Error }
                }
            };
            std::process::exit(exit as i32);
        }
        drop(phase);
        if self.interrupts.fetch_add(1, Ordering::SeqCst) == 0 {
            output::note("\nInterrupt received: finishing the calls in flight. Once more ends it at once.");
            return;
        }
        output::note(
            "\nTwo interrupts received: ending at once. The journal stays open: what became of the calls in flight is read \
             from AWS by `secateur apply --resume` or `secateur rollback`.",
        );
        std::process::exit(Exit::Partly as i32);
    }
}

/// Removes a folder into which somebody may still be writing. What stays all the same is swept away a day later.
fn remove(folder: &Path) {
    for _ in 0..20 {
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                std::thread::sleep(Duration::from_millis(20));
            }
            _ => return,
        }
    }
}
