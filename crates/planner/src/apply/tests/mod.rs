//! The state machine against an account in memory: crashes at every step, lost bytes, faults, other people.

mod crashes;
mod exchange;
mod faults;
mod forged;
mod gone;
mod in_force;
mod journals;
mod kept;
mod namesakes;
mod others;
mod rollbacks;
mod scenes;
mod sim;
mod theirs;
mod unseen;
mod wide;

use std::collections::BTreeSet;

use super::approval::{Approval, Proposal};
use super::journal::{Author, History, HistoryError, Journal};
use super::{Left, Patience, Run, Stop, rollback};
use scenes::Scene;
use sim::{Disk, Sim};

fn sim(scene: &Scene) -> Sim {
    let sim = Sim::default();
    *sim.world.borrow_mut() = scene.world.clone();
    *sim.clock.borrow_mut() = 1_000_000;
    sim
}

thread_local! {
    /// How many writes the journals of this test may have on their way at a time.
    static PARALLELISM: std::cell::Cell<usize> = const { std::cell::Cell::new(4) };
}

fn author() -> Author {
    let caller_arn = "arn:aws:iam::111122223333:user/ann".to_owned();
    Author { id: "j".to_owned(), caller_arn, user: None, plan: None, parallelism: PARALLELISM.get(), after: None }
}

const PATIENCE: Patience = Patience { settle: 20, attempts: 6 };

fn run(journal: &mut Journal<Disk>, sim: &Sim, patience: Patience) -> Result<(), Stop> {
    run_all(journal, sim, patience, &Left::default()).map_err(|stops| stops[0].clone())
}

/// Runs, and returns all reasons why it stopped.
fn run_all(journal: &mut Journal<Disk>, sim: &Sim, patience: Patience, left: &Left) -> Result<(), Vec<Stop>> {
    run_above(journal, sim, patience, (left, None))
}

/// Runs, as the rollback of another journal.
fn run_above(
    journal: &mut Journal<Disk>,
    sim: &Sim,
    patience: Patience,
    (left, below): (&Left, Option<&History>),
) -> Result<(), Vec<Stop>> {
    let meddle = |step| {
        let act = sim.before_step.borrow_mut().take_if(|(before, _)| *before == step);
        if let Some((_, act)) = act {
            act(&mut sim.world.borrow_mut());
        }
    };
    let (theirs, gone) = (&left.theirs, &left.gone);
    let (on_step, on_passed) = (&meddle, &|_| {});
    let mut run = Run { journal, cloud: sim, clock: sim, patience, on_step, on_passed, theirs, gone, below };
    run.run()?;
    run.finish().map_err(|stop| vec![stop])
}

/// Applies, as the command does.
fn apply(proposal: Proposal, sim: &Sim, disk: &Disk) -> Result<(), Stop> {
    apply_with(proposal, sim, disk, PATIENCE)
}

fn apply_with(proposal: Proposal, sim: &Sim, disk: &Disk, patience: Patience) -> Result<(), Stop> {
    let approved = proposal.approve(&Approval::Auto).unwrap();
    let now = super::Clock::now(sim);
    let mut journal =
        Journal::begin(disk.clone(), approved, author(), now).map_err(|error| Stop::Journal(error.to_string()))?;
    run(&mut journal, sim, patience)
}

fn history(disk: &Disk) -> History {
    History::read(&disk.written.borrow()).unwrap()
}

/// Goes on with what is on the disk, as the command does.
fn resume(proposal: Proposal, sim: &Sim, disk: &Disk) -> Result<(), Stop> {
    let approved = proposal.approve(&Approval::Auto).unwrap();
    let left = Left::read(sim, sim, PATIENCE.settle, &history(disk)).unwrap();
    assert!(left.unseen.steps.is_empty(), "{:?}", left.unseen);
    let now = super::Clock::now(sim);
    let mut journal =
        Journal::resume(disk.clone(), history(disk), approved, ("arn".to_owned(), PARALLELISM.get()), now).unwrap();
    run_all(&mut journal, sim, PATIENCE, &left).map_err(|stops| stops[0].clone())
}

/// Truncates a journal at every byte from one on, and hands over the first of each kind that reads differently: where a record is
/// torn makes no difference to what is read, and it is read at every byte that it makes none. Returns how many were read.
fn at_every_byte(written: &[u8], from: usize, mut check: impl FnMut(&[u8])) -> usize {
    let mut seen = BTreeSet::new();
    for kept in from..=written.len() {
        let bytes = &written[..kept];
        let head = match History::read(bytes) {
            Ok(history) => Some(history.head().to_string()),
            Err(error) => {
                assert_eq!(error, HistoryError::NeverBegan, "{kept} bytes");
                None
            }
        };
        let is_torn = !bytes.is_empty() && !bytes.ends_with(b"\n");
        if seen.insert((head, is_torn)) {
            check(bytes);
        }
    }
    written.len() + 1 - from
}

/// Goes back from what is on the disk, with a journal of its own; returns that.
fn go_back(sim: &Sim, disk: &Disk) -> Disk {
    let back = rollback(sim, sim, PATIENCE.settle, &history(disk), |_| true).unwrap();
    let own = Disk::default();
    apply(back.proposal, sim, &own).unwrap();
    own
}

/// Runs something that may crash; says whether it did.
fn crashes(run: impl FnOnce()) -> bool {
    static QUIET: std::sync::Once = std::sync::Once::new();
    QUIET.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.payload().is::<sim::Crash>() {
                loud(panic);
            }
        }));
    });
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    match result {
        Ok(()) => false,
        Err(panic) if panic.is::<sim::Crash>() => true,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
