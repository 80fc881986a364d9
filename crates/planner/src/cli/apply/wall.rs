//! This machine's clock, and whoever presses Ctrl-C.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secateur_analyzer::time::UnixTime;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};

use crate::apply::Clock;
use crate::apply::aws::Cloud;
use crate::cli::{Exit, journals, output};

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
    /// Listens. Before the first write, Ctrl-C or SIGTERM ends it; then the first ends it after the calls in flight, and the
    /// second at once.
    pub fn listen(cloud: &Cloud) -> Wall {
        let wall = Wall { interrupts: Arc::default(), phase: Arc::new(Mutex::new(Phase::Reading(None))) };
        #[cfg(unix)]
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let wall = wall.clone();
            cloud.spawn(async move {
                // Where signals cannot be listened to, they end the process; the journal says how far it was.
                let Ok(mut signals) = signal(kind) else { return };
                while signals.recv().await.is_some() {
                    wall.interrupt();
                }
            });
        }
        #[cfg(not(unix))]
        {
            let wall = wall.clone();
            cloud.spawn(async move {
                while tokio::signal::ctrl_c().await.is_ok() {
                    wall.interrupt();
                }
            });
        }
        wall
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
            output::note("\nInterrupt received: nothing was changed.");
            std::process::exit(Exit::Error as i32);
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
