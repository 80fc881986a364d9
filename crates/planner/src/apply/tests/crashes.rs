//! A crash at every point, what was not synced lost or kept, and the tail torn at every byte.

use super::scenes::{self, Scene};
use super::sim::{Disk, Fate, Shared, Sim};
use super::wide::in_world;
use super::{apply, at_every_byte, crashes, go_back, history, resume, sim};
use crate::apply::journal::{History, HistoryError, Record, State, close};
use crate::apply::rollback;
use secateur_analyzer::time::UnixTime;

/// The state of the world before, and after an apply without crashes; and how many points it passes.
fn ends(scene: &Scene) -> (Sim, Sim) {
    let (start, end) = (sim(scene), sim(scene));
    apply(scene.proposal(), &end, &Disk::default()).unwrap();
    (start, end)
}

fn check(scene: &Scene, at: usize, sim: &Sim, bytes: &[u8], ends: &(Sim, Sim)) {
    let context = || format!("{} at point {at}, {} bytes", scene.name, bytes.len());
    for goes_on in [true, false] {
        let sim = Sim { world: Shared::new(sim.world.borrow().clone()), ..Sim::default() };
        *sim.clock.borrow_mut() = 1_000_100;
        let left = Disk::default();
        left.written.borrow_mut().extend_from_slice(bytes);
        match History::read(bytes) {
            Err(HistoryError::NeverBegan) => {
                assert_eq!(sim.world.borrow().essence(), ends.0.world.borrow().essence(), "{}", context());
                continue;
            }
            Err(error) => panic!("{}: {error}", context()),
            Ok(_) => {}
        }
        if goes_on {
            if *history(&left).state() == State::Done {
                continue;
            }
            resume(scene.proposal(), &sim, &left).unwrap_or_else(|stop| panic!("{}: {stop:?}", context()));
            assert_eq!(sim.world.borrow().essence(), ends.1.world.borrow().essence(), "resume: {}", context());
            go_back(&sim, &left);
            assert_eq!(sim.world.borrow().essence(), ends.0.world.borrow().essence(), "resume, back: {}", context());
        } else {
            go_back(&sim, &left);
            assert_eq!(sim.world.borrow().essence(), ends.0.world.borrow().essence(), "rollback: {}", context());
        }
    }
}

#[test]
fn every_crash_is_survived_on_every_way() {
    let (mut tried, mut torn) = (0, 0);
    for scene in scenes::all() {
        let ends = ends(&scene);
        let mut at = 0;
        loop {
            let fate = Fate::after(at);
            let world = Sim { fate: fate.clone(), ..sim(&scene) };
            let disk = Disk { fate: fate.clone(), ..Disk::default() };
            let crashed = crashes(|| apply(scene.proposal(), &world, &disk).unwrap());
            if !crashed {
                assert!(fate.is_pending(), "{}: it ended before point {at}", scene.name);
                break;
            }
            let (written, synced) = (disk.written.borrow().clone(), *disk.synced.borrow());
            // What was not synced is lost, in part or as a whole.
            torn += at_every_byte(&written, synced, |bytes| {
                check(&scene, at, &world, bytes, &ends);
                tried += 1;
            });
            at += 1;
        }
        println!("{}: {at} points, {} writes", scene.name, ends.1.calls.borrow().len());
        assert!(at > 4 * ends.1.calls.borrow().len(), "{}", scene.name);
    }
    println!("{torn} truncations read, {tried} that differ x {{resume, rollback}}");
}

#[test]
fn the_tail_may_be_torn_at_every_byte_of_the_last_record() {
    for scene in scenes::all() {
        let ends = ends(&scene);
        let disk = Disk::default();
        let world = sim(&scene);
        apply(scene.proposal(), &world, &disk).unwrap();
        let whole = disk.written.borrow().clone();
        let tail = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        let torn = at_every_byte(&whole, tail, |bytes| check(&scene, bytes.len(), &world, bytes, &ends));
        assert_eq!(torn, whole.len() - tail + 1);
    }
}

#[test]
fn a_crash_in_a_rollback_is_survived() {
    for scene in scenes::all() {
        let (start, end) = ends(&scene);
        let journal = Disk::default();
        let done = sim(&scene);
        apply(scene.proposal(), &done, &journal).unwrap();
        let mut at = 0;
        loop {
            let fate = Fate::after(at);
            let world = Sim { fate: fate.clone(), world: Shared::new(done.world.borrow().clone()), ..sim(&scene) };
            *world.world.borrow_mut() = done.world.borrow().clone();
            let back = rollback(&world, &world, 20, &history(&journal), |_| true).unwrap();
            let own = Disk { fate: fate.clone(), ..Disk::default() };
            if !crashes(|| apply(back.proposal.clone(), &world, &own).unwrap()) {
                // The rollback of a rollback leads to where apply had led.
                let world = Sim { fate: Fate::default(), ..world.clone() };
                go_back(&world, &Disk { fate: Fate::default(), ..own });
                assert_eq!(world.world.borrow().essence(), end.world.borrow().essence(), "{}", scene.name);
                break;
            }
            let calm = Sim { fate: Fate::default(), ..world.clone() };
            let left = Disk { fate: Fate::default(), ..own.clone() };
            if History::read(&left.written.borrow()).is_ok() {
                resume(back.proposal.clone(), &calm, &left).unwrap_or_else(|stop| panic!("{}: {stop:?}", scene.name));
                assert_eq!(calm.world.borrow().essence(), start.world.borrow().essence(), "{} at {at}", scene.name);
            }
            at += 1;
        }
    }
}

#[test]
fn a_rollback_that_crashed_and_was_left_does_not_stand_in_the_way_of_the_next() {
    let mut in_doubt = 0;
    for scene in scenes::all() {
        let (done, journal) = (sim(&scene), Disk::default());
        apply(scene.proposal(), &done, &journal).unwrap();
        for at in 0.. {
            let fate = Fate::after(at);
            let world = Sim { fate: fate.clone(), ..in_world(&done.world.borrow()) };
            let back = rollback(&world, &world, 20, &history(&journal), |_| true).unwrap();
            let own = Disk { fate, ..Disk::default() };
            if !crashes(|| apply(back.proposal.clone(), &world, &own).unwrap()) {
                break;
            }
            let left = Disk { fate: Fate::default(), ..own };
            let Ok(mut crashed) = History::read(&left.written.borrow()) else { continue };
            if *crashed.state() != State::Open {
                continue;
            }
            in_doubt += crashed.in_doubt();
            close(left, &mut crashed, Record::Abandoned { reason: "it is left".to_owned() }, UnixTime(3_000_000))
                .unwrap();
            let journal = Disk { written: Shared::new(journal.written.borrow().clone()), ..Disk::default() };
            let mut above = history(&journal);
            if let Some(record) = above.note(&crashed, true) {
                close(journal.clone(), &mut above, record, UnixTime(3_000_000)).unwrap();
            }
            let calm = in_world(&world.world.borrow());
            go_back(&calm, &journal);
            assert_eq!(calm.world.borrow().essence(), scene.world.essence(), "{}, point {at}", scene.name);
        }
    }
    assert!(in_doubt > 20, "{in_doubt}");
}
