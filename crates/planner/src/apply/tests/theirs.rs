//! What a journal never began is not its own, whoever did it: somebody else after a crash, or a write of which the disk lost
//! the record. It is told, never given back, and no hindrance.

use std::collections::{BTreeMap, BTreeSet};

use super::scenes::{self, Scene};
use super::sim::{Disk, Fate, Fault, Shared, Sim, World};
use super::{PARALLELISM, apply, crashes, history, resume, sim, wide};
use crate::apply::journal::{History, HistoryError, Record, State, parse};
use crate::apply::{Effect, Kept, Left, VersionRef, rollback};

fn in_world(world: &World) -> Sim {
    let sim = Sim { world: Shared::new(world.clone()), ..Sim::default() };
    *sim.clock.borrow_mut() = 1_000_100;
    sim
}

fn on_disk(bytes: &[u8]) -> Disk {
    Disk { written: Shared::new(bytes.to_vec()), ..Disk::default() }
}

/// Goes back as far as it goes; returns what is told to stay.
fn go_back(sim: &Sim, disk: &Disk) -> Vec<Kept> {
    let back = rollback(sim, sim, 20, &history(disk), |_| true).unwrap();
    if !back.proposal.steps().is_empty() {
        apply(back.proposal, sim, &Disk::default()).unwrap_or_else(|stop| panic!("{stop:?}: {:?}", back.standing));
    }
    back.standing
}

/// Whether what a step leads to is so.
fn stands(world: &World, effect: &Effect) -> bool {
    let has = |entity: String, policy: &str| world.attached.get(&entity).is_some_and(|l| l.iter().any(|p| p == policy));
    match effect {
        Effect::PutInline { entity, policy, after, .. } => {
            world.inline.get(&(entity.to_string(), policy.clone())) == Some(after)
        }
        Effect::DeleteInline { entity, policy, .. } => {
            !world.inline.contains_key(&(entity.to_string(), policy.clone()))
        }
        Effect::CreateVersion { policy, document } => {
            world.policies[policy.as_str()].versions.values().any(|own| own == document)
        }
        Effect::DeleteVersion { policy, version } => {
            let VersionRef::Id(id) = &version.version else { panic!("{version:?}") };
            !world.policies[policy.as_str()].versions.contains_key(id)
        }
        Effect::SetDefault { policy, to, .. } => {
            let own = &world.policies[policy.as_str()];
            own.versions[&own.default] == to.document
        }
        Effect::CreatePolicy { policy, .. } => world.policies.contains_key(policy.as_str()),
        Effect::DeletePolicy { policy, .. } => !world.policies.contains_key(policy.as_str()),
        Effect::Attach { entity, policy } => has(entity.to_string(), policy.as_str()),
        Effect::Detach { entity, policy } => !has(entity.to_string(), policy.as_str()),
        Effect::SetKey { user, key, active, .. } => (world.keys[&(user.clone(), key.clone())] == "Active") == *active,
    }
}

/// The world after so many steps, and the journal up to there: it ends before the next intent.
fn after(scene: &Scene, steps: usize) -> (World, Vec<u8>) {
    let (world, disk) = (sim(scene), Disk::default());
    *world.faults.borrow_mut() =
        (0..=steps).map(|at| (at == steps).then_some(Fault::Refused("AccessDenied"))).collect();
    let _ = apply(scene.proposal(), &world, &disk);
    let bytes = disk.written.take();
    let is_next = |record: &Record| matches!(record, Record::Intent { step, .. } if *step == steps);
    let records = parse(&bytes).unwrap().entries;
    let kept = records.iter().position(|entry| is_next(&entry.record)).unwrap_or(records.len());
    let length = bytes.split_inclusive(|byte| *byte == b'\n').take(kept).map(<[u8]>::len).sum();
    let world = world.world.borrow().clone();
    (world, bytes[..length].to_vec())
}

/// Nobody has what neither was there nor was approved, nobody is left without both, and nothing is there twice.
fn assert_safe(scene: &Scene, now: &World, end: &World, context: &str) {
    let start = &scene.world;
    for (at, old) in &start.inline {
        assert!(now.inline.get(at) == Some(old) || now.inline.get(at) == end.inline.get(at), "{context}: {at:?}");
    }
    for at in now.inline.keys() {
        assert!(start.inline.contains_key(at) || end.inline.contains_key(at), "{context}: {at:?}");
    }
    for (at, status) in &now.keys {
        assert!([&start.keys[at], &end.keys[at]].contains(&status), "{context}: {at:?}");
    }
    let set = |world: &World, who: &String| {
        world.attached.get(who).into_iter().flatten().cloned().collect::<BTreeSet<String>>()
    };
    for who in start.entities.keys() {
        let (old, new, own) = (set(start, who), set(end, who), set(now, who));
        assert_eq!(now.attached.get(who).map_or(0, Vec::len), own.len(), "{context}: {who} twice");
        assert!(own.is_subset(&(&old | &new)), "{context}: {who}: {own:?}");
        assert!(own.is_superset(&old) || own.is_superset(&new), "{context}: {who} has neither: {own:?}");
    }
    for (arn, policy) in &now.policies {
        let of = |world: &World| world.policies.get(arn).map(|own| own.versions[&own.default].clone());
        let own = Some(policy.versions[&policy.default].clone());
        assert!(own == of(start) || own == of(end), "{context}: {arn}: {own:?}");
        let count = |world: &World| {
            let mut count: BTreeMap<String, usize> = BTreeMap::new();
            let texts = world.policies.get(arn).into_iter().flat_map(|own| own.versions.values().cloned());
            texts.for_each(|text| *count.entry(text).or_default() += 1);
            count
        };
        for (text, times) in count(now) {
            let most = [count(start), count(end)].iter().filter_map(|own| own.get(&text).copied()).max();
            assert!(Some(times) <= most, "{context}: {arn} has {times} of {text}");
        }
    }
}

#[test]
fn what_somebody_else_did_after_a_crash_is_passed_over_and_never_given_back() {
    PARALLELISM.set(1);
    let mut tried = 0;
    for scene in scenes::all() {
        let steps = scene.proposal().steps().to_vec();
        let (end, _) = after(&scene, steps.len());
        for (at, step) in steps.iter().enumerate() {
            // The machine went down before the step; then somebody else did just that.
            let ((_, bytes), (world, _)) = (after(&scene, at), after(&scene, at + 1));
            let context = format!("{}: {}", scene.name, step.effect);
            let (own, disk) = (in_world(&world), on_disk(&bytes));
            let told = go_back(&own, &disk);
            assert!(stands(&own.world.borrow(), &step.effect), "{context}: was given back");
            assert!(told.iter().any(|kept| kept.detail.contains("never began it")), "{context}: {told:?}");
            assert_safe(&scene, &own.world.borrow(), &end, &context);

            let (own, disk) = (in_world(&world), on_disk(&bytes));
            resume(scene.proposal(), &own, &disk).unwrap_or_else(|stop| panic!("{context}: {stop:?}"));
            assert_eq!(own.world.borrow().essence(), end.essence(), "{context}: resumed");
            assert_eq!(*history(&disk).state(), State::Done, "{context}");
            let passed_over = String::from_utf8_lossy(&disk.written.borrow()).contains("not by this journal");
            assert!(passed_over, "{context}: the journal says so");
            go_back(&own, &disk);
            assert!(stands(&own.world.borrow(), &step.effect), "{context}: was given back after all");
            assert_safe(&scene, &own.world.borrow(), &end, &format!("{context}: resumed and back"));
            tried += 1;
        }
    }
    println!("{tried} steps x {{rollback, resume and rollback}}");
}

/// The disk said that it had the last record, and had not: what cannot be known is told, and harms nobody.
fn check(scene: &Scene, world: &World, bytes: &[u8], end: &World, context: &str) -> usize {
    if let Err(error) = History::read(bytes) {
        assert_eq!(error, HistoryError::NeverBegan, "{context}");
        assert_eq!(world.essence(), scene.world.essence(), "{context}");
        return 0;
    }
    let mut in_doubt = 0;
    for goes_on in [true, false] {
        let context = format!("{context}, resumed: {goes_on}");
        let (own, disk) = (in_world(world), on_disk(bytes));
        let mut passed_over = false;
        if goes_on {
            resume(scene.proposal(), &own, &disk).unwrap_or_else(|stop| panic!("{context}: {stop:?}"));
            assert_eq!(own.world.borrow().essence(), end.essence(), "{context}");
            passed_over = String::from_utf8_lossy(&disk.written.borrow()).contains("not by this journal");
        }
        let told = go_back(&own, &disk);
        let is_as_before = own.world.borrow().essence() == scene.world.essence();
        assert_safe(scene, &own.world.borrow(), end, &context);
        assert!(is_as_before || passed_over || !told.is_empty(), "{context}: it is not as before, and nobody says so");
        in_doubt += usize::from(!is_as_before);
    }
    in_doubt
}

#[test]
fn a_disk_that_loses_its_last_record_widens_nothing_and_leaves_nobody_with_neither() {
    for scene in scenes::all().into_iter().chain([wide::wide()]) {
        let end = sim(&scene);
        apply(scene.proposal(), &end, &Disk::default()).unwrap();
        let end = end.world.borrow().clone();
        let (mut tried, mut in_doubt) = (0, 0);
        for parallelism in [1, 4] {
            PARALLELISM.set(parallelism);
            for at in 0.. {
                let fate = Fate::after(at);
                let world = Sim { fate: fate.clone(), ..sim(&scene) };
                let disk = Disk { fate: fate.clone(), ..Disk::default() };
                if !crashes(|| apply(scene.proposal(), &world, &disk).unwrap()) {
                    break;
                }
                let written = disk.written.borrow().clone();
                let whole = &written[..written.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)];
                let Some(last) = whole.split_inclusive(|byte| *byte == b'\n').next_back() else { continue };
                let tail = whole.len() - last.len();
                for kept in [tail, tail + 40, whole.len() - 1] {
                    let context = format!("{}: {parallelism} at a time, point {at}, {kept} bytes", scene.name);
                    let left = world.world.borrow().clone();
                    in_doubt += check(&scene, &left, &whole[..kept], &end, &context);
                    tried += 1;
                }
            }
        }
        println!("{}: {tried} states x {{resume, rollback}}, {in_doubt} not as before, and told", scene.name);
        assert!(in_doubt > 0, "{}: no effect without a record was ever tried", scene.name);
    }
}

#[test]
fn what_was_done_and_no_longer_stands_is_told_and_nothing_else() {
    PARALLELISM.set(1);
    let changed = |world: &World, bytes: &[u8]| {
        let own = in_world(world);
        // Before that, what nobody has seen may show yet.
        *own.clock.borrow_mut() += 3_600;
        let left = Left::read(&own, &own, 20, &history(&on_disk(bytes))).unwrap();
        left.changed.into_keys().collect::<Vec<usize>>()
    };
    for scene in scenes::all() {
        for at in 0..scene.proposal().steps().len() {
            let ((before, _), (there, bytes)) = (after(&scene, at), after(&scene, at + 1));
            assert_eq!(changed(&there, &bytes), [0; 0], "{}", scene.name);
            assert_eq!(changed(&before, &bytes), [at], "{}", scene.name);
        }
    }
}

#[test]
fn a_copy_stays_with_whom_somebody_else_took_the_original_from_and_with_nobody_else() {
    const COPY: &str = "arn:aws:iam::111122223333:policy/Copy";
    PARALLELISM.set(1);
    let mut scene = scenes::scene("replace");
    scene.world.attached.insert("user/ann".to_owned(), vec![scenes::OF_AWS.to_owned()]);
    for change in scene.changes.clone().into_iter().filter(|own| own.target.owner.is_some()) {
        let mut own = change;
        own.address = own.address.replace("role/ci", "user/ann");
        own.depends_on = own.depends_on.iter().map(|on| on.replace("role/ci", "user/ann")).collect();
        own.target.kind = "aws_iam_user_policy_attachment".to_owned();
        own.target.owner = Some("user/ann".to_owned());
        own.expects.holders.clear();
        scene.changes.push(own);
    }
    let steps = scene.proposal().steps().to_vec();
    assert_eq!(steps.len(), 5, "{steps:?}");
    // All but the two detaches are done; then somebody takes the original from the role.
    let (world, bytes) = after(&scene, 3);
    let (own, disk) = (in_world(&world), on_disk(&bytes));
    own.world.borrow_mut().attached.insert("role/ci".to_owned(), vec![COPY.to_owned()]);
    let told = go_back(&own, &disk);
    let attached = own.world.borrow().attached.clone();
    assert_eq!(
        (&*attached["role/ci"], &*attached["user/ann"]),
        (&[COPY.to_owned()][..], &[scenes::OF_AWS.to_owned()][..])
    );
    let told: Vec<&str> = told.iter().map(|kept| kept.address.as_str()).collect();
    assert_eq!(told, ["policy/Copy", "role/ci/attached/Copy", "role/ci/attached/aws:ReadOnlyAccess"]);
}

/// The journal of a clock that was ahead, up to its first intent or to its end: the write it names is not there.
fn ahead(is_in_doubt: bool, seconds: i64) -> (Sim, Disk) {
    let scene = scenes::scene("put-inline");
    let (_, bytes) = after(&scene, 1);
    let kept = if is_in_doubt { 2 } else { 3 };
    let length = bytes.split_inclusive(|byte| *byte == b'\n').take(kept).map(<[u8]>::len).sum();
    let world = in_world(&scene.world);
    *world.clock.borrow_mut() -= seconds;
    (world, on_disk(&bytes[..length]))
}

#[test]
fn what_a_clock_that_was_ahead_wrote_down_is_waited_for_as_if_it_were_of_now() {
    for is_in_doubt in [true, false] {
        for seconds in [200, 1_000_000] {
            let (world, disk) = ahead(is_in_doubt, seconds);
            let asked_at = *world.clock.borrow();
            assert!(history(&disk).latest().0 > asked_at);
            let waited = |world: &Sim| *world.clock.borrow() - asked_at;
            let left = Left::read(&world, &world, 20, &history(&disk)).unwrap();
            assert_eq!(left.changed.len(), usize::from(!is_in_doubt));
            assert!((20..=22).contains(&waited(&world)), "{is_in_doubt}: {}", waited(&world));
            let back = rollback(&world, &world, 20, &history(&disk), |_| true).unwrap();
            assert!(back.proposal.steps().is_empty(), "{:?}", back.proposal);
            assert!(waited(&world) <= 44, "{is_in_doubt}: {}", waited(&world));
            let scene = scenes::scene("put-inline");
            resume(scene.proposal(), &world, &disk).unwrap();
            assert!(waited(&world) <= 110, "{is_in_doubt}: {}", waited(&world));
        }
    }
}

#[test]
fn what_a_clock_that_was_ahead_wrote_down_and_shows_late_is_ours() {
    for is_in_doubt in [true, false] {
        let (world, disk) = ahead(is_in_doubt, 1_000_000);
        let scene = scenes::scene("put-inline");
        let (there, _) = after(&scene, 1);
        // Reads show it ten seconds from now.
        let until = *world.clock.borrow() + 10;
        world.seen.borrow_mut().push((until, scene.world.clone()));
        *world.world.borrow_mut() = there;
        let left = Left::read(&world, &world, 20, &history(&disk)).unwrap();
        assert_eq!((left.changed.len(), left.theirs.len(), left.untouched.len()), (0, 0, 0), "{is_in_doubt}");
    }
}
