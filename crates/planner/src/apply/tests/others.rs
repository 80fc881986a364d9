//! What a step rests on is looked at before it; what is late is waited for, and is no one else's.

use std::collections::BTreeSet;

use secateur_analyzer::document::fingerprint;

use super::scenes::{self, document};
use super::sim::{Disk, Fault, Meddling, Shared, Sim, World};
use super::{apply, apply_with, go_back, history, resume, sim};
use crate::apply::journal::{State, parse};
use crate::apply::{Patience, Stop, is_as_left};
use crate::plan::{Change, ChangeAction};

const SHARED: &str = "arn:aws:iam::111122223333:policy/shared";
const COPY: &str = "arn:aws:iam::111122223333:policy/Copy";
const OF_AWS: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

fn widen(world: &mut World) {
    let copy = world.policies.get_mut(COPY).unwrap();
    copy.versions.insert("v2".to_owned(), document("*"));
    copy.default = "v2".to_owned();
}

fn make_again(world: &mut World) {
    world.policies.get_mut(COPY).unwrap().unique_id = "ANPATHEIRS".to_owned();
}

fn delete(world: &mut World) {
    world.policies.remove(COPY);
}

fn detach_the_copy(world: &mut World) {
    world.attached.get_mut("role/ci").unwrap().retain(|own| own != COPY);
}

/// Somebody acts after a write: in the run, or while it is stopped. Returns what they find.
fn both_ways(name: &str, after: usize, act: fn(&mut World)) -> [(Stop, World); 2] {
    let own = scenes::scene(name);
    let at_once = sim(&own);
    *at_once.before_step.borrow_mut() = Some((after + 1, act));
    let disk = Disk::default();
    let stop = apply(own.proposal(), &at_once, &disk).unwrap_err();
    assert_eq!(*history(&disk).state(), State::Open);
    let first = (stop, at_once.world.borrow().clone());
    let later = sim(&own);
    *later.faults.borrow_mut() =
        (0..=after + 1).map(|at| (at == after + 1).then_some(Fault::Refused("ExpiredToken"))).collect();
    let disk = Disk::default();
    apply(own.proposal(), &later, &disk).unwrap_err();
    act(&mut later.world.borrow_mut());
    let stop = resume(own.proposal(), &later, &disk).unwrap_err();
    assert_eq!(*history(&disk).state(), State::Open);
    let left = later.world.borrow().clone();
    [first, (stop, left)]
}

#[test]
fn a_policy_that_is_no_longer_what_was_created_is_not_attached() {
    for name in ["replace", "split"] {
        for act in [widen, make_again, delete] {
            for (stop, left) in both_ways(name, 0, act) {
                assert!(matches!(stop, Stop::Drifted { step: 1, .. }), "{name}: {stop:?}");
                assert!(!left.attached["role/ci"].contains(&COPY.to_owned()), "{name}");
            }
        }
    }
}

#[test]
fn the_old_goes_only_while_the_new_stands() {
    for act in [widen, make_again, detach_the_copy] {
        for (stop, left) in both_ways("replace", 1, act) {
            assert!(matches!(stop, Stop::Drifted { step: 2, .. }), "{stop:?}");
            assert!(left.attached["role/ci"].contains(&OF_AWS.to_owned()), "the old stays");
        }
        for (stop, left) in both_ways("split", 1, act) {
            assert!(matches!(stop, Stop::Drifted { step: 2, .. }), "{stop:?}");
            assert_eq!(left.policies[SHARED].default, "v2", "the old stays in force");
        }
    }
}

#[test]
fn what_is_detached_has_the_document_that_was_judged() {
    let mut own = scenes::scene("detach");
    own.changes[0].expects.document = Some(fingerprint(&document("s3:V1")));
    apply(own.proposal(), &sim(&own), &Disk::default()).unwrap();
    let world = sim(&own);
    world.world.borrow_mut().policies.get_mut(SHARED).unwrap().versions.insert("v1".to_owned(), document("s3:Other"));
    let stop = apply(own.proposal(), &world, &Disk::default()).unwrap_err();
    assert!(matches!(&stop, Stop::Drifted { detail, .. } if detail.contains("no longer what it was")), "{stop:?}");
    assert!(world.world.borrow().attached["role/ci"].contains(&SHARED.to_owned()));
}

#[test]
fn a_policy_of_aws_is_detached_whatever_aws_made_of_it() {
    let mut own = scenes::scene("replace");
    let off = own.changes.iter_mut().find(|change| change.action == ChangeAction::Detach).unwrap();
    off.expects.document = Some(fingerprint(&document("s3:AsItWas")));
    apply(own.proposal(), &sim(&own), &Disk::default()).unwrap();
}

#[test]
fn a_write_that_shows_after_all_patience_is_ours() {
    for own in scenes::all() {
        let end = sim(&own);
        apply(own.proposal(), &end, &Disk::default()).unwrap();
        let writes = end.calls.borrow().clone();
        for (at, operation) in writes.iter().enumerate() {
            for seconds in [25, 60, 300] {
                let world = sim(&own);
                *world.faults.borrow_mut() = (0..=at).map(|own| (own == at).then_some(Fault::Late(seconds))).collect();
                let disk = Disk::default();
                let context = format!("{}: {operation} after {seconds} s", own.name);
                apply(own.proposal(), &world, &disk).unwrap_or_else(|stop| panic!("{context}: {stop:?}"));
                if operation == "CreatePolicyVersion" {
                    // The late one stays beside the one in force, and is not in force.
                    let default = |sim: &Sim| {
                        let world = sim.world.borrow();
                        world.policies[SHARED].versions[&world.policies[SHARED].default].clone()
                    };
                    assert_eq!(default(&world), default(&end), "{context}");
                    continue;
                }
                assert_eq!(world.world.borrow().essence(), end.world.borrow().essence(), "{context}");
                go_back(&world, &disk);
                assert_eq!(world.world.borrow().essence(), own.world.essence(), "{context}, and back");
            }
        }
    }
}

#[test]
fn what_may_have_been_done_is_never_closed_as_nothing_done() {
    for own in scenes::all() {
        let world = sim(&own);
        *world.faults.borrow_mut() = vec![Some(Fault::NotReached); 6];
        let disk = Disk::default();
        let stop = apply(own.proposal(), &world, &disk).unwrap_err();
        assert!(matches!(stop, Stop::Call { step: 0, .. }), "{stop:?}");
        assert_eq!(*history(&disk).state(), State::Open, "{}", own.name);
        assert!(!String::from_utf8_lossy(&disk.written.borrow()).contains("\"record\":\"failed\""), "{}", own.name);
        // A no that comes after an answer that did not is no proof either.
        let world = sim(&own);
        *world.faults.borrow_mut() = vec![Some(Fault::NotReached), Some(Fault::Refused("AccessDenied"))];
        let disk = Disk::default();
        let stop = apply(own.proposal(), &world, &disk).unwrap_err();
        assert!(matches!(stop, Stop::Call { step: 0, .. }), "{stop:?}");
        assert_eq!(*history(&disk).state(), State::Open, "{}", own.name);
        resume(own.proposal(), &world, &disk).unwrap();
        go_back(&world, &disk);
        assert_eq!(world.world.borrow().essence(), own.world.essence(), "{}", own.name);
    }
}

#[test]
fn a_resumed_run_that_is_certain_that_nothing_was_done_closes_its_journal() {
    let own = scenes::scene("several-inline");
    let world = sim(&own);
    let full = Disk::default();
    apply(own.proposal(), &world, &full).unwrap();
    let bytes = full.written.borrow().clone();
    let world = sim(&own);
    let begun = Disk::default();
    let first = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    begun.written.borrow_mut().extend_from_slice(&bytes[..first]);
    *world.clock.borrow_mut() += 100;
    *world.faults.borrow_mut() = vec![Some(Fault::Refused("AccessDenied"))];
    resume(own.proposal(), &world, &begun).unwrap_err();
    assert_eq!(*history(&begun).state(), State::NothingDone, "no intent, no call");

    let refused = Disk::default();
    *world.faults.borrow_mut() = vec![None, Some(Fault::Refused("AccessDenied"))];
    apply(own.proposal(), &world, &refused).unwrap_err();
    let written = refused.written.borrow().clone();
    let end = written[..written.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    refused.written.borrow_mut().truncate(end);
    assert_eq!(*history(&refused).state(), State::Open, "the last record is missing");
    *world.faults.borrow_mut() = vec![None, None, Some(Fault::Refused("AccessDenied"))];
    resume(own.proposal(), &world, &refused).unwrap_err();
    assert_eq!(*history(&refused).state(), State::NothingDone);
}

#[test]
fn what_is_gone_when_it_is_to_go_was_taken_by_somebody_else() {
    for (name, at, act) in [
        ("detach", 0, (|world| world.attached.clear()) as fn(&mut World)),
        ("delete-inline", 0, |world| world.inline.clear()),
    ] {
        let own = scenes::scene(name);
        let world = sim(&own);
        *world.meddling.borrow_mut() = Some(Meddling { before_write: at, act });
        let disk = Disk::default();
        let stop = apply(own.proposal(), &world, &disk).unwrap_err();
        assert!(matches!(stop, Stop::DoneByOthers { step: 0 }), "{name}: {stop:?}");
    }
    let own = scenes::scene("several-inline");
    let world = sim(&own);
    *world.meddling.borrow_mut() = Some(Meddling {
        before_write: 0,
        act: |world| drop(world.inline.remove(&("role/ci".to_owned(), "b".to_owned()))),
    });
    let disk = Disk::default();
    let stop = apply(own.proposal(), &world, &disk).unwrap_err();
    assert!(matches!(stop, Stop::DoneByOthers { .. }), "{stop:?}");
}

#[test]
fn what_was_just_written_and_does_not_show_yet_is_no_drift() {
    for name in ["update", "replace", "split", "several-inline"] {
        let own = scenes::scene(name);
        let end = sim(&own);
        apply(own.proposal(), &end, &Disk::default()).unwrap();
        let world = Sim { lag: 10, ..sim(&own) };
        let disk = Disk::default();
        let hasty = Patience { settle: 0, attempts: 6 };
        let stop = apply_with(own.proposal(), &world, &disk, hasty).unwrap_err();
        assert!(matches!(stop, Stop::NotSeen { step: 0 }), "{name}: {stop:?}");
        resume(own.proposal(), &world, &disk).unwrap_or_else(|stop| panic!("{name}: {stop:?}"));
        assert_eq!(world.world.borrow().essence(), end.world.borrow().essence(), "{name}");
    }
}

#[test]
fn the_document_is_what_is_read_last() {
    let change = Change {
        before: Some(document("s3:*")),
        after: Some(document("s3:Less")),
        ..scenes::change(
            "group/ops/inline/a",
            ChangeAction::Update,
            "aws_iam_group_policy",
            "group/ops",
            "a",
            Some("group/ops"),
        )
    };
    let mut change = change;
    change.expects.memberships = vec!["user/ann in group/ops".to_owned()];
    change.expects.holders[0].arn = "arn:aws:iam::111122223333:user/ann".parse().unwrap();
    change.expects.holders[0].unique_id = "ID-user/ann".to_owned();
    let mut own = scenes::scene("put-inline");
    own.world.inline.insert(("group/ops".to_owned(), "a".to_owned()), document("s3:*"));
    own.changes = vec![change];
    apply(own.proposal(), &sim(&own), &Disk::default()).unwrap();
    let world = sim(&own);
    *world.as_members_are_read.borrow_mut() = Some(|world| {
        world.inline.insert(("group/ops".to_owned(), "a".to_owned()), document("s3:Theirs"));
    });
    let stop = apply(own.proposal(), &world, &Disk::default()).unwrap_err();
    assert!(matches!(stop, Stop::Drifted { .. }), "{stop:?}");
    let left = world.world.borrow().inline[&("group/ops".to_owned(), "a".to_owned())].clone();
    assert_eq!(left, document("s3:Theirs"));
}

#[test]
fn a_disk_that_fails_once_leaves_a_whole_journal() {
    for own in scenes::all() {
        for is_stuck in [false, true] {
            for at in 1.. {
                let world = sim(&own);
                let syncs = Shared::new(at);
                let disk = Disk { syncs: Some(syncs.clone()), is_stuck, ..Disk::default() };
                let Err(stop) = apply(own.proposal(), &world, &disk) else { break };
                assert!(matches!(stop, Stop::Journal(_)), "{stop:?}");
                let calls = world.calls.borrow().len();
                let left = Disk { syncs: None, is_stuck: false, ..disk };
                let records = parse(&left.written.borrow()).unwrap().entries.len();
                assert_eq!(records, at + usize::from(is_stuck), "nothing follows it");
                assert!(calls <= at, "nothing is written to AWS after it");
                if *history(&left).state() == State::Open {
                    *world.clock.borrow_mut() += 100;
                    resume(own.proposal(), &world, &left).unwrap_or_else(|stop| panic!("{}, {at}: {stop:?}", own.name));
                }
                go_back(&world, &left);
                assert_eq!(world.world.borrow().essence(), own.world.essence(), "{} at {at}", own.name);
            }
        }
    }
}

#[test]
fn what_a_journal_left_is_told_from_what_somebody_made_of_it_since() {
    for own in scenes::all() {
        let (world, disk) = (sim(&own), Disk::default());
        apply(own.proposal(), &world, &disk).unwrap();
        let addresses: BTreeSet<String> = own.proposal().steps().iter().map(|step| step.address.clone()).collect();
        let is_left = |address: &String| is_as_left(&world, &history(&disk), address).unwrap();
        assert!(addresses.iter().all(is_left), "{}", own.name);
        // By hand it is as it was before, or something third.
        let end = std::mem::replace(&mut *world.world.borrow_mut(), own.world.clone());
        assert!(!addresses.iter().any(is_left), "{}", own.name);
        *world.world.borrow_mut() = end;
        let mut there = world.world.borrow_mut();
        there.inline.values_mut().for_each(|text| *text = document("s3:Theirs"));
        let versions = there.policies.values_mut().flat_map(|policy| policy.versions.values_mut());
        versions.for_each(|text| *text = document("s3:Theirs"));
        drop(there);
        for step in own.proposal().steps().iter().filter(|step| step.effect.documents().1.is_some()) {
            assert!(!is_left(&step.address), "{}: {}", own.name, step.address);
        }
    }
}
