//! Calls that fail, answers that are lost, reads that lag, and other people.

use super::scenes::{self, document};
use super::sim::{Disk, Fault, Meddling, Sim, World};
use super::{apply, go_back, history, resume, sim};
use crate::apply::Stop;
use crate::apply::journal::State;

const SHARED: &str = "arn:aws:iam::111122223333:policy/shared";

#[test]
fn passing_faults_at_every_call_change_nothing_in_the_end() {
    for scene in scenes::all() {
        let end = sim(&scene);
        apply(scene.proposal(), &end, &Disk::default()).unwrap();
        let writes = end.calls.borrow().len();
        for fault in [Fault::Throttle, Fault::Lost, Fault::NotReached, Fault::Refused("ConcurrentModification")] {
            for lag in [0, 10] {
                for at in 0..writes {
                    let world = Sim { lag, ..sim(&scene) };
                    *world.faults.borrow_mut() = (0..=at).map(|own| (own == at).then(|| fault.clone())).collect();
                    let context = format!("{}: {fault:?} at {at}, lag {lag}", scene.name);
                    let disk = Disk::default();
                    apply(scene.proposal(), &world, &disk).unwrap_or_else(|stop| panic!("{context}: {stop:?}"));
                    assert_eq!(world.world.borrow().essence(), end.world.borrow().essence(), "{context}");
                    go_back(&world, &disk);
                    let start = &scene.world;
                    assert_eq!(world.world.borrow().essence(), start.essence(), "{context}, and back");
                }
            }
        }
    }
}

#[test]
fn a_lasting_fault_stops_and_the_rest_is_resumed_or_taken_back() {
    for scene in scenes::all() {
        let end = sim(&scene);
        apply(scene.proposal(), &end, &Disk::default()).unwrap();
        for at in 0..end.calls.borrow().len() {
            for code in
                ["AccessDenied", "LimitExceeded", "MalformedPolicyDocument", "UnmodifiableEntity", "ExpiredToken"]
            {
                for goes_on in [true, false] {
                    let world = sim(&scene);
                    *world.faults.borrow_mut() =
                        (0..=at).map(|own| (own == at).then_some(Fault::Refused(code))).collect();
                    let disk = Disk::default();
                    let stop = apply(scene.proposal(), &world, &disk).unwrap_err();
                    assert!(matches!(stop, Stop::Call { .. }), "{stop:?}");
                    let expected = if at == 0 { State::NothingDone } else { State::Open };
                    assert_eq!(*history(&disk).state(), expected, "{} at {at}", scene.name);
                    if at > 0 && goes_on {
                        resume(scene.proposal(), &world, &disk).unwrap();
                        assert_eq!(world.world.borrow().essence(), end.world.borrow().essence());
                    } else {
                        go_back(&world, &disk);
                        assert_eq!(world.world.borrow().essence(), scene.world.essence());
                    }
                }
            }
        }
    }
}

fn meddle(name: &str, before_write: usize, act: fn(&mut World)) -> (Stop, World, State) {
    let scene = scenes::scene(name);
    let world = sim(&scene);
    *world.meddling.borrow_mut() = Some(Meddling { before_write, act });
    let disk = Disk::default();
    let stop = apply(scene.proposal(), &world, &disk).unwrap_err();
    let left = world.world.borrow().clone();
    (stop, left, history(&disk).state().clone())
}

#[test]
fn what_somebody_else_does_between_two_writes_stops_it_and_stands() {
    let (stop, left, state) = meddle("several-inline", 1, |world| {
        world.inline.insert(("role/ci".to_owned(), "a".to_owned()), document("s3:Theirs"));
    });
    assert!(matches!(stop, Stop::Drifted { .. }), "{stop:?}");
    assert_eq!(left.inline[&("role/ci".to_owned(), "a".to_owned())], document("s3:Theirs"));
    assert_eq!(state, State::Open);

    let (stop, left, _) = meddle("several-inline", 1, |world| {
        world.inline.remove(&("role/ci".to_owned(), "a".to_owned()));
    });
    assert!(matches!(stop, Stop::Drifted { .. }), "{stop:?}");
    assert!(!left.inline.contains_key(&("role/ci".to_owned(), "a".to_owned())), "a deleted policy stays deleted");

    let (stop, _, _) = meddle("update", 0, |world| {
        world.attached.insert("user/bob".to_owned(), vec![SHARED.to_owned()]);
    });
    assert!(matches!(&stop, Stop::Drifted { detail, .. } if detail.contains("user/bob")), "{stop:?}");

    let (stop, left, _) = meddle("update", 0, |world| {
        let own = world.policies.get_mut(SHARED).unwrap();
        own.versions.insert("v9".to_owned(), document("s3:Theirs"));
        own.default = "v9".to_owned();
    });
    assert!(matches!(&stop, Stop::Drifted { .. }), "{stop:?}");
    assert_eq!(left.policies[SHARED].default, "v9", "what they set stays in force");
}

#[test]
fn what_somebody_else_has_done_before_is_theirs() {
    let scene = scenes::scene("several-inline");
    let world = sim(&scene);
    *world.meddling.borrow_mut() = Some(Meddling {
        before_write: 0,
        act: |world| {
            // `c` is rewritten first by its length, and `b` is deleted by somebody else meanwhile.
            world.inline.remove(&("role/ci".to_owned(), "b".to_owned()));
        },
    });
    let disk = Disk::default();
    let stop = apply(scene.proposal(), &world, &disk).unwrap_err();
    if let Stop::DoneByOthers { .. } = stop {
        resume(scene.proposal(), &world, &disk).unwrap();
        go_back(&world, &disk);
        assert!(!world.world.borrow().inline.contains_key(&("role/ci".to_owned(), "b".to_owned())));
    } else {
        assert!(matches!(stop, Stop::Call { .. }), "{stop:?}");
    }
}

#[test]
fn a_full_disk_stops_it_before_the_write() {
    for scene in scenes::all() {
        let whole = Disk::default();
        apply(scene.proposal(), &sim(&scene), &whole).unwrap();
        let length = whole.written.borrow().len();
        for room in (0..length).step_by(37) {
            let disk = Disk { room: Some(room), ..Disk::default() };
            let world = sim(&scene);
            let stop = apply(scene.proposal(), &world, &disk).unwrap_err();
            assert!(matches!(stop, Stop::Journal(_)), "{stop:?}");
            let left = Disk { room: None, ..disk };
            match crate::apply::journal::History::read(&left.written.borrow()) {
                Ok(_) => {}
                Err(_) => {
                    assert_eq!(world.world.borrow().essence(), scene.world.essence());
                    continue;
                }
            }
            *world.clock.borrow_mut() += 100;
            go_back(&world, &left);
            assert_eq!(world.world.borrow().essence(), scene.world.essence(), "{} with {room}", scene.name);
        }
    }
}

#[test]
fn a_version_that_somebody_deleted_is_made_anew_to_go_back_to() {
    for name in ["update", "update-with-evict"] {
        let scene = scenes::scene(name);
        let world = sim(&scene);
        let disk = Disk::default();
        apply(scene.proposal(), &world, &disk).unwrap();
        let (before, default) = {
            let own = &scene.world.policies[SHARED];
            (own.versions[&own.default].clone(), own.default.clone())
        };
        world.world.borrow_mut().policies.get_mut(SHARED).unwrap().versions.remove(&default);
        let back = go_back(&world, &disk);
        let now = world.world.borrow().policies[SHARED].clone();
        assert_eq!(now.versions[&now.default], before, "{name}");
        go_back(&world, &back);
        let now = world.world.borrow().policies[SHARED].clone();
        assert_eq!(now.versions[&now.default], document("s3:Less"), "{name}");
    }
}
