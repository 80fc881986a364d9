//! Several entities at a time: what is in order all the same, what a stop leaves, and crashes with several writes on their way.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::scenes::{self, Scene, document};
use super::sim::{Disk, Fate, Fault, Meddling, Shared, Sim, World};
use super::{PARALLELISM, apply, at_every_byte, author, crashes, go_back, history, resume, run_all, sim};
use crate::apply::approval::Approval;
use crate::apply::journal::{History, HistoryError, Journal, Progress, State, parse};
use crate::apply::{Clock, Left, Stop};
use crate::plan::{Change, ChangeAction};

/// A change of an inline policy of a role of its own.
fn own(role: &str, name: &str, after: Option<&str>) -> Change {
    let (kind, owner) = ("aws_iam_role_policy", format!("role/{role}"));
    let action = if after.is_some() { ChangeAction::Update } else { ChangeAction::Delete };
    let address = format!("{owner}/inline/{name}");
    Change {
        before: Some(document("s3:*")),
        after: after.map(document),
        ..scenes::change(&address, action, kind, &owner, name, Some(&owner))
    }
}

/// A scene with seven lanes in two phases, 11 writes.
pub fn wide() -> Scene {
    let mut all = Scene { name: "wide", world: World::default(), changes: Vec::new(), evict: Default::default() };
    for scene in scenes::all() {
        if ["update", "replace", "deactivate"].contains(&scene.name) {
            all.world.entities.extend(scene.world.entities);
            all.world.members.extend(scene.world.members);
            all.world.policies.extend(scene.world.policies);
            all.world.keys.extend(scene.world.keys);
            for (who, list) in scene.world.attached {
                all.world.attached.entry(who).or_default().extend(list);
            }
            all.changes.extend(scene.changes);
        }
    }
    // The one that is replaced is of another role than the one that has the policy that is rewritten.
    let list = all.world.attached.remove("role/ci").unwrap();
    let (own_policies, of_aws): (Vec<String>, _) = list.into_iter().partition(|arn| arn.contains("111122223333"));
    all.world.attached.insert("role/ci".to_owned(), own_policies);
    all.world.attached.insert("role/r5".to_owned(), of_aws);
    for change in all.changes.iter_mut().filter(|change| change.target.owner.as_deref() == Some("role/ci")) {
        change.target.owner = Some("role/r5".to_owned());
        change.address = change.address.replace("role/ci", "role/r5");
        change.expects.holders[0].arn = "arn:aws:iam::111122223333:role/r5".parse().unwrap();
        change.expects.holders[0].unique_id = "ID-role/r5".to_owned();
        for own in &mut change.depends_on {
            *own = own.replace("role/ci", "role/r5");
        }
    }
    for at in 1..=5 {
        all.world.entities.insert(format!("role/r{at}"), format!("ID-role/r{at}"));
    }
    for (role, name) in [("r1", "a"), ("r1", "b"), ("r2", "a"), ("r3", "a"), ("r4", "a")] {
        all.world.inline.insert((format!("role/{role}"), name.to_owned()), document("s3:*"));
    }
    all.changes.extend([
        own("r1", "a", Some("s3:A")),
        own("r1", "b", None),
        own("r2", "a", None),
        own("r3", "a", Some("s3:B")),
        own("r4", "a", Some("s3:LongerThanItWas")),
    ]);
    all
}

fn ends(scene: &Scene) -> (Sim, Sim) {
    let (start, end) = (sim(scene), sim(scene));
    apply(scene.proposal(), &end, &Disk::default()).unwrap();
    (start, end)
}

pub fn in_world(world: &World) -> Sim {
    let sim = Sim { world: Shared::new(world.clone()), ..Sim::default() };
    *sim.clock.borrow_mut() = 1_000_100;
    sim
}

/// The steps of which a record of some kind stands in a journal, in the order of the records.
fn steps_of(disk: &Disk, kind: &str) -> Vec<usize> {
    let entries = parse(&disk.written.borrow()).unwrap().entries;
    let records = entries.iter().map(|entry| serde_json::to_value(&entry.record).unwrap());
    records
        .filter(|record| record["record"] == kind)
        .map(|record| usize::try_from(record["step"].as_u64().unwrap()).unwrap())
        .collect()
}

#[test]
fn a_lane_is_in_order_and_what_grows_waits() {
    let scene = wide();
    let steps = scene.proposal().steps().to_vec();
    assert_eq!(steps.len(), 11);
    for parallelism in [1, 2, 4, 16] {
        PARALLELISM.set(parallelism);
        for _ in 0..20 {
            let (world, disk) = (sim(&scene), Disk::default());
            apply(scene.proposal(), &world, &disk).unwrap();
            let intents = steps_of(&disk, "intent");
            let place = |step: usize| intents.iter().position(|own| *own == step).unwrap();
            for (late, step) in steps.iter().enumerate() {
                for (early, other) in steps.iter().enumerate().take(late) {
                    let shares = step.shares().iter().any(|key| other.shares().contains(key));
                    assert!(!shares || place(early) < place(late), "{early} before {late}: {intents:?}");
                }
            }
            // `shared` gets a longer document, `r4` too, and `r5` a policy before it loses one.
            let grows = |at: &usize| ["shared", "r4", "r5", "Copy"].iter().any(|own| steps[*at].address.contains(own));
            let (growing, shrinking): (Vec<usize>, Vec<usize>) = (0..steps.len()).partition(grows);
            assert_eq!((growing.len(), shrinking.len()), (6, 5));
            let last = shrinking.iter().map(|at| place(*at)).max();
            assert!(growing.iter().all(|at| Some(place(*at)) > last), "{intents:?}");
            if parallelism == 1 {
                assert!(intents.is_sorted(), "{intents:?}");
            }
            go_back(&world, &disk);
            assert_eq!(world.world.borrow().essence(), scene.world.essence());
        }
    }
}

#[test]
fn no_more_are_on_their_way_than_were_asked_for() {
    let scene = wide();
    let mut most = BTreeSet::new();
    for parallelism in [1, 2, 4] {
        PARALLELISM.set(parallelism);
        for _ in 0..20 {
            let (world, disk) = (sim(&scene), Disk::default());
            apply(scene.proposal(), &world, &disk).unwrap();
            let (mut open, mut highest) = (BTreeSet::new(), 0);
            for entry in parse(&disk.written.borrow()).unwrap().entries {
                let record = serde_json::to_value(&entry.record).unwrap();
                match record["record"].as_str().unwrap() {
                    "intent" => open.insert(record["step"].as_u64()),
                    "done" => open.remove(&record["step"].as_u64()),
                    _ => false,
                };
                highest = highest.max(open.len());
            }
            assert!(highest <= parallelism, "{highest} of {parallelism}");
            most.insert(highest);
        }
    }
    println!("on their way at a time: {most:?}");
    assert!(most.len() > 1, "nothing was ever made at the same time");
}

#[test]
fn the_operations_are_those_of_the_writes() {
    for scene in scenes::all().into_iter().chain([wide()]) {
        PARALLELISM.set(1);
        let (world, disk) = (sim(&scene), Disk::default());
        apply(scene.proposal(), &world, &disk).unwrap();
        go_back(&world, &disk);
        let own: Vec<String> =
            scene.proposal().steps().iter().map(|step| step.effect.operation().replace("iam:", "")).collect();
        assert_eq!(world.calls.borrow()[..own.len()], own);
    }
}

/// What a crash left is gone on with, and taken back: each from the same world and the same bytes.
fn check(scene: &Scene, at: &str, world: &World, bytes: &[u8], ends: &(Sim, Sim)) {
    match History::read(bytes) {
        Err(HistoryError::NeverBegan) => {
            assert_eq!(world.essence(), ends.0.world.borrow().essence(), "{at}");
            return;
        }
        other => drop(other.unwrap()),
    }
    for goes_on in [true, false] {
        let left = Disk { written: Shared::new(bytes.to_vec()), ..Disk::default() };
        let sim = in_world(world);
        if goes_on && *history(&left).state() != State::Done {
            resume(scene.proposal(), &sim, &left).unwrap_or_else(|stop| panic!("{at}: {stop:?}"));
            assert_eq!(sim.world.borrow().essence(), ends.1.world.borrow().essence(), "resume: {at}");
        }
        go_back(&sim, &left);
        assert_eq!(sim.world.borrow().essence(), ends.0.world.borrow().essence(), "resumed {goes_on}, back: {at}");
    }
}

#[test]
fn every_crash_with_several_writes_on_their_way_is_survived() {
    let scene = wide();
    let ends = ends(&scene);
    for parallelism in [1, 4] {
        PARALLELISM.set(parallelism);
        let (mut tried, mut torn, mut in_doubt) = (0, 0, 0);
        // Who comes first is left to chance, so each point is tried several times.
        for round in 0..if parallelism == 1 { 1 } else { 4 } {
            for at in 0.. {
                let fate = Fate::after(at);
                let world = Sim { fate: fate.clone(), ..sim(&scene) };
                let disk = Disk { fate: fate.clone(), ..Disk::default() };
                if !crashes(|| apply(scene.proposal(), &world, &disk).unwrap()) {
                    assert!(fate.is_pending() && at > 4 * scene.proposal().steps().len(), "it ended before point {at}");
                    break;
                }
                let (written, synced) = (disk.written.borrow().clone(), *disk.synced.borrow());
                if let Ok(left) = History::read(&written) {
                    let is_open = |at: &usize| matches!(left.progress(*at), Progress::Intended { .. });
                    in_doubt = in_doubt.max((0..left.steps().len()).filter(is_open).count());
                }
                let mut check = |bytes: &[u8]| {
                    let kept = bytes.len();
                    let context = format!("{parallelism} at a time, round {round}, point {at}, {kept} bytes");
                    check(&scene, &context, &world.world.borrow().clone(), bytes, &ends);
                    tried += 1;
                };
                // Every byte once: the further rounds are there for another order.
                if round == 0 {
                    torn += at_every_byte(&written, synced, check);
                } else {
                    let some = BTreeSet::from([synced, synced.midpoint(written.len()), written.len()]);
                    torn += some.len();
                    some.into_iter().for_each(|kept| check(&written[..kept]));
                }
            }
        }
        println!(
            "{parallelism} at a time: {torn} truncations read, {tried} that differ x {{resume, rollback}}, up to {in_doubt} writes \
             in doubt"
        );
        assert!(parallelism == 1 || in_doubt > 1, "several writes were never in doubt");
    }
}

#[test]
fn a_crash_in_a_rollback_of_many_is_survived() {
    let scene = wide();
    let (start, end) = ends(&scene);
    PARALLELISM.set(4);
    let (done, journal) = (sim(&scene), Disk::default());
    apply(scene.proposal(), &done, &journal).unwrap();
    for at in 0.. {
        let fate = Fate::after(at);
        let world = Sim { fate: fate.clone(), ..in_world(&done.world.borrow()) };
        let back = crate::apply::rollback(&world, &world, 20, &history(&journal), |_| true).unwrap();
        let own = Disk { fate: fate.clone(), ..Disk::default() };
        let crashed = crashes(|| apply(back.proposal.clone(), &world, &own).unwrap());
        let calm = in_world(&world.world.borrow());
        let left = Disk { fate: Fate::default(), ..own };
        if !crashed {
            go_back(&calm, &left);
            assert_eq!(calm.world.borrow().essence(), end.world.borrow().essence());
            break;
        }
        if History::read(&left.written.borrow()).is_ok() {
            if *history(&left).state() == State::Open {
                resume(back.proposal, &calm, &left).unwrap_or_else(|stop| panic!("{at}: {stop:?}"));
            }
            assert_eq!(calm.world.borrow().essence(), start.world.borrow().essence(), "point {at}");
        }
    }
}

#[test]
fn faults_at_every_write_of_many_change_nothing_in_the_end() {
    let scene = wide();
    let ends = ends(&scene);
    PARALLELISM.set(4);
    for fault in
        [Fault::Throttle, Fault::Lost, Fault::NotReached, Fault::Late(5), Fault::Refused("ConcurrentModification")]
    {
        for lag in [0, 10] {
            for at in 0..scene.proposal().steps().len() {
                let world = Sim { lag, ..sim(&scene) };
                *world.faults.borrow_mut() = (0..=at).map(|own| (own == at).then(|| fault.clone())).collect();
                let (disk, context) = (Disk::default(), format!("{fault:?} at {at}, lag {lag}"));
                apply(scene.proposal(), &world, &disk).unwrap_or_else(|stop| panic!("{context}: {stop:?}"));
                assert_eq!(world.world.borrow().essence(), ends.1.world.borrow().essence(), "{context}");
                go_back(&world, &disk);
                assert_eq!(world.world.borrow().essence(), ends.0.world.borrow().essence(), "{context}, and back");
            }
        }
    }
}

#[test]
fn a_stop_lets_what_is_on_its_way_end_and_begins_nothing_more() {
    let scene = wide();
    let ends = ends(&scene);
    PARALLELISM.set(4);
    for at in 0..scene.proposal().steps().len() {
        let world = sim(&scene);
        *world.faults.borrow_mut() =
            (0..=at).map(|own| (own == at).then_some(Fault::Refused("AccessDenied"))).collect();
        let disk = Disk::default();
        let stop = apply(scene.proposal(), &world, &disk).unwrap_err();
        assert!(matches!(stop, Stop::Call { .. }), "{stop:?}");
        let left = history(&disk);
        let is_in_doubt = |at: usize| matches!(left.progress(at), Progress::Intended { .. });
        assert!(!(0..left.steps().len()).any(is_in_doubt), "what was on its way is written down");
        let failed = steps_of(&disk, "failed");
        let intents = steps_of(&disk, "intent");
        let after = intents.len() - 1 - intents.iter().position(|own| *own == failed[0]).unwrap();
        assert!(after < 8, "{after} more were begun");
        let expected = if left.done() == 0 { State::NothingDone } else { State::Open };
        assert_eq!(*left.state(), expected);
        if *left.state() == State::Open && at % 2 == 0 {
            resume(scene.proposal(), &world, &disk).unwrap();
            assert_eq!(world.world.borrow().essence(), ends.1.world.borrow().essence());
        }
        go_back(&world, &disk);
        assert_eq!(world.world.borrow().essence(), ends.0.world.borrow().essence());
    }
}

#[test]
fn two_that_stop_at_once_are_both_told_and_the_first_step_counts() {
    let scene = wide();
    PARALLELISM.set(16);
    let mut both = 0;
    for _ in 0..50 {
        let world = sim(&scene);
        *world.faults.borrow_mut() = vec![Some(Fault::Refused("AccessDenied")); 12];
        let approved = scene.proposal().approve(&Approval::Auto).unwrap();
        let disk = Disk::default();
        let mut journal = Journal::begin(disk.clone(), approved, author(), world.now()).unwrap();
        let stops = run_all(&mut journal, &world, super::PATIENCE, &Left::default()).unwrap_err();
        let steps: Vec<usize> = stops.iter().filter_map(Stop::step).collect();
        assert!(steps.is_sorted() && steps.len() == stops.len(), "{stops:?}");
        assert_eq!(*journal.history().state(), State::NothingDone);
        both += usize::from(steps.len() > 1);
        let told = parse(&disk.written.borrow()).unwrap().entries;
        let told = told.iter().filter(|entry| format!("{:?}", entry.record).starts_with("Stopped")).count();
        assert_eq!(told, stops.len());
    }
    println!("{both} of 50 stopped at more than one");
    assert!(both > 0);
}

#[test]
fn somebody_else_stops_their_lane_alone_and_their_work_stands() {
    let scene = wide();
    PARALLELISM.set(4);
    let world = sim(&scene);
    *world.meddling.borrow_mut() = Some(Meddling {
        before_write: 0,
        act: |world| drop(world.inline.insert(("role/r4".to_owned(), "a".to_owned()), document("s3:Theirs"))),
    });
    let disk = Disk::default();
    let stop = apply(scene.proposal(), &world, &disk).unwrap_err();
    assert!(matches!(stop, Stop::Drifted { .. }), "{stop:?}");
    assert_eq!(world.world.borrow().inline[&("role/r4".to_owned(), "a".to_owned())], document("s3:Theirs"));
    // The whole first phase was made before.
    assert!(history(&disk).done() >= 5, "{}", history(&disk).done());
    go_back(&world, &disk);
    let left = world.world.borrow().inline.clone();
    let mut expected = scene.world.inline.clone();
    expected.insert(("role/r4".to_owned(), "a".to_owned()), document("s3:Theirs"));
    assert_eq!(left, expected);
}

/// A clock that somebody stops after some looks.
struct Hand<'a> {
    sim: &'a Sim,
    looks: AtomicUsize,
}

impl Clock for Hand<'_> {
    fn now(&self) -> secateur_analyzer::time::UnixTime {
        self.sim.now()
    }
    fn sleep(&self, time: std::time::Duration) {
        self.sim.sleep(time);
    }
    fn is_interrupted(&self) -> bool {
        self.looks.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err()
    }
}

#[test]
fn an_interrupt_at_any_time_leaves_nothing_in_doubt() {
    let scene = wide();
    let ends = ends(&scene);
    PARALLELISM.set(4);
    for looks in 0.. {
        let (world, disk) = (sim(&scene), Disk::default());
        let approved = scene.proposal().approve(&Approval::Auto).unwrap();
        let mut journal = Journal::begin(disk.clone(), approved, author(), world.now()).unwrap();
        let clock = Hand { sim: &world, looks: AtomicUsize::new(looks) };
        let mut run = crate::apply::Run {
            journal: &mut journal,
            cloud: &world,
            clock: &clock,
            patience: super::PATIENCE,
            on_step: &|_| {},
            on_passed: &|_| {},
            theirs: &BTreeSet::new(),
            gone: &BTreeSet::new(),
            below: None,
        };
        let Err(stops) = run.run() else { break };
        assert_eq!(stops, [Stop::Interrupted]);
        let left = history(&disk);
        assert!(!(0..11).any(|at| matches!(left.progress(at), Progress::Intended { .. })));
        if *left.state() == State::Open {
            resume(scene.proposal(), &world, &disk).unwrap();
            assert_eq!(world.world.borrow().essence(), ends.1.world.borrow().essence());
            go_back(&world, &disk);
        }
        assert_eq!(world.world.borrow().essence(), ends.0.world.borrow().essence());
    }
}
