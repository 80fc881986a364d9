//! Who was deleted since blocks nobody: nothing is given to them or taken from them, on any way. Who was made again under the same
//! name is somebody else.

use super::exchange::{back_from, begin, stop_at, stopped};
use super::scenes::{self, Scene};
use super::sim::{Disk, Sim, World};
use super::{PARALLELISM, apply, history, resume, sim};
use crate::apply::journal::{Progress, State};
use crate::apply::{Bearing, Left, RollbackError, Stop, bearing, resume_rollback};
use crate::plan::{Change, ChangeAction, ExpectedHolder};

const SHARED: &str = "arn:aws:iam::111122223333:policy/shared";

/// Inline policies, of the role and of `user/ann`, and her key.
fn of_bearers() -> Scene {
    let find = |name: &str| scenes::scene(name);
    let (mut scene, key) = (find("several-inline"), find("deactivate"));
    for (name, action, after) in [("a", ChangeAction::Update, Some("s3:Less")), ("b", ChangeAction::Delete, None)] {
        let address = format!("user/ann/inline/{name}");
        let own = scenes::change(&address, action, "aws_iam_user_policy", "user/ann", name, Some("user/ann"));
        let (before, after) = (Some(scenes::document("s3:*")), after.map(scenes::document));
        scene.changes.push(Change { before, after, ..own });
        scene.world.inline.insert(("user/ann".to_owned(), name.to_owned()), scenes::document("s3:*"));
    }
    scene.changes.extend(key.changes);
    scene.world.keys = key.world.keys;
    scene
}

/// A scene of what is attached, with a second holder: `user/ann`; or of what is borne.
fn of_two(name: &str) -> Scene {
    if name == BEARS {
        return of_bearers();
    }
    let mut scene = scenes::scene(name);
    let ann = || ExpectedHolder {
        arn: "arn:aws:iam::111122223333:user/ann".parse().unwrap(),
        unique_id: "ID-user/ann".to_owned(),
    };
    let own = scene.world.attached["role/ci"].clone();
    scene.world.attached.insert("user/ann".to_owned(), own);
    let is_attachment = |change: &Change| change.target.owner.is_some();
    let also: Vec<Change> = scene.changes.iter().filter(|change| is_attachment(change)).cloned().collect();
    for mut change in also {
        let renamed = |text: &String| text.replace("role/ci", "user/ann");
        change.address = change.address.replace("role/ci", "user/ann");
        change.depends_on = change.depends_on.iter().map(renamed).collect();
        change.target.kind = "aws_iam_user_policy_attachment".to_owned();
        change.target.owner = Some("user/ann".to_owned());
        change.expects.holders = vec![ann()];
        scene.changes.push(change);
    }
    for change in scene.changes.iter_mut().filter(|change| change.action == ChangeAction::Update) {
        change.expects.holders.push(ann());
        change.expects.attachments.push("user/ann".to_owned());
    }
    scene
}

const BEARS: &str = "bears";
const NAMES: [&str; 4] = ["replace", "split", "detach", BEARS];

fn delete(world: &mut World) {
    world.entities.remove("user/ann");
    world.attached.remove("user/ann");
    world.inline.retain(|(who, _), _| who != "user/ann");
    world.keys.retain(|(who, _), _| who != "ann");
}

fn make_again(world: &mut World) {
    delete(world);
    world.entities.insert("user/ann".to_owned(), "ID-again".to_owned());
}

fn applied(scene: &Scene) -> (Sim, Disk) {
    PARALLELISM.set(1);
    let (world, disk) = (sim(scene), Disk::default());
    apply(scene.proposal(), &world, &disk).unwrap();
    *world.clock.borrow_mut() += 100;
    (world, disk)
}

/// What is there where nobody ever was but the other one: at the start, and at the end.
fn without_ann(scene: &Scene) -> [World; 2] {
    let mut end = applied(scene).0.world.borrow().clone();
    let mut start = scene.world.clone();
    delete(&mut start);
    delete(&mut end);
    [start, end]
}

/// Does something that stops at a write, deletes the user, and goes on.
fn go_on(world: &Sim, disk: &Disk, context: &str) {
    world.faults.borrow_mut().clear();
    *world.clock.borrow_mut() += 100;
    delete(&mut world.world.borrow_mut());
    let before = history(disk);
    let left = Left::read(world, world, 20, &before).unwrap();
    assert_eq!(left.broken(world, &before).unwrap(), [], "{context}");
    let proposal = crate::apply::Proposal {
        origin: before.begin().origin.clone(),
        destination: before.begin().destination.clone(),
        steps: before.steps().to_vec(),
    };
    resume(proposal, world, disk).unwrap_or_else(|stop| panic!("{context}: {stop:?}"));
    let after = history(disk);
    assert_eq!(*after.state(), State::Done, "{context}");
    for at in left.passed.keys() {
        assert!(matches!(after.progress(*at), Progress::Skipped { withheld: true, .. }), "{context}: {at}");
    }
    assert!(left.passed.values().all(|detail| detail == "user/ann is gone"), "{context}: {:?}", left.passed);
    *world.clock.borrow_mut() += 100;
}

#[test]
fn a_rollback_keeps_what_is_of_who_is_gone_and_gives_the_others_back() {
    for name in NAMES {
        let scene = of_two(name);
        let [start, end] = without_ann(&scene);
        let (world, disk) = applied(&scene);
        delete(&mut world.world.borrow_mut());
        let back = back_from(&world, &disk).unwrap();
        let told: Vec<&str> = back.kept.iter().map(|kept| kept.detail.as_str()).collect();
        let gives = "user/ann is gone: nothing is given back to it";
        let takes = "user/ann is gone: nothing is taken from it";
        let expected: &[&str] = match name {
            "replace" => &[gives, takes],
            "split" => &[takes],
            BEARS => &[gives, gives, gives],
            _ => &[gives],
        };
        assert_eq!(told, expected, "{name}");
        assert!(back.is_whole && back.widened.is_empty(), "{name}: {back:?}");
        let (own, ended) = begin(back, &world, "r");
        ended.unwrap();
        assert_eq!(world.world.borrow().essence(), start.essence(), "{name}");
        // Nobody has edited it; and the way back from there knows nothing of them.
        let said = bearing(&history(&own), None, &[history(&disk)]);
        assert!(matches!(said, Ok(Bearing::Unknown(_))), "{name}: {said:?}");
        begin(back_from(&world, &own).unwrap(), &world, "rr").1.unwrap();
        assert_eq!(world.world.borrow().essence(), end.essence(), "{name}");
    }
}

#[test]
fn the_rollback_of_a_rollback_keeps_what_is_of_who_is_gone() {
    for name in NAMES {
        let scene = of_two(name);
        let [_, end] = without_ann(&scene);
        let (world, disk) = applied(&scene);
        let (own, ended) = begin(back_from(&world, &disk).unwrap(), &world, "r");
        ended.unwrap();
        delete(&mut world.world.borrow_mut());
        let again = back_from(&world, &own).unwrap();
        assert!(again.kept.iter().any(|kept| kept.detail.starts_with("user/ann is gone: nothing")), "{:?}", again.kept);
        begin(again, &world, "rr").1.unwrap();
        assert_eq!(world.world.borrow().essence(), end.essence(), "{name}");
    }
}

#[test]
fn what_is_of_who_is_gone_is_passed_over_on_the_way_on() {
    let mut passed = 0;
    for name in NAMES {
        let scene = of_two(name);
        let [start, end] = without_ann(&scene);
        let steps = scene.proposal().steps().len();
        for writes in 1..steps {
            let (world, disk) = (sim(&scene), Disk::default());
            PARALLELISM.set(1);
            stop_at(&world, writes);
            apply(scene.proposal(), &world, &disk).unwrap_err();
            let context = format!("{name}, apply, {writes}");
            go_on(&world, &disk, &context);
            assert_eq!(world.world.borrow().essence(), end.essence(), "{context}");
            passed += usize::from(String::from_utf8_lossy(&disk.written.borrow()).contains("user/ann is gone"));
            begin(back_from(&world, &disk).unwrap(), &world, "r").1.unwrap();
            assert_eq!(world.world.borrow().essence(), start.essence(), "{context}, and back");
        }
        for is_again in [false, true] {
            for writes in 1.. {
                let (world, disk) = applied(&scene);
                let mut below = disk;
                if is_again {
                    let (own, ended) = begin(back_from(&world, &below).unwrap(), &world, "r");
                    ended.unwrap();
                    below = own;
                }
                let back = back_from(&world, &below).unwrap();
                if writes >= back.proposal.steps().len() {
                    break;
                }
                stop_at(&world, writes);
                let (own, ended) = begin(back, &world, "b");
                ended.unwrap_err();
                resume_rollback(&history(&own)).unwrap();
                let context = format!("{name}, again: {is_again}, {writes}");
                go_on(&world, &own, &context);
                let expected = if is_again { &end } else { &start };
                assert_eq!(world.world.borrow().essence(), expected.essence(), "{context}");
                passed += usize::from(String::from_utf8_lossy(&own.written.borrow()).contains("user/ann is gone"));
            }
        }
    }
    assert!(passed > 10, "{passed}");
}

#[test]
fn who_was_made_again_is_not_gone_and_who_is_gone_stops_what_nobody_has_approved_without_them() {
    for name in NAMES {
        let scene = of_two(name);
        // While it runs, nobody has seen it.
        let world = sim(&scene);
        delete(&mut world.world.borrow_mut());
        let stop = apply(scene.proposal(), &world, &Disk::default()).unwrap_err();
        assert!(matches!(&stop, Stop::Drifted { detail, .. } if detail.contains("user/ann")), "{name}: {stop:?}");
        let (world, disk) = applied(&scene);
        make_again(&mut world.world.borrow_mut());
        match back_from(&world, &disk) {
            Err(RollbackError::Drifted { drifted, .. }) => {
                let again = "user/ann was deleted and made again: it is ID-again, and was ID-user/ann";
                assert!(drifted.iter().any(|kept| kept.detail.contains(again)), "{name}: {drifted:?}");
            }
            other => panic!("{name}: {other:?}"),
        }
        let steps = scene.proposal().steps().len();
        let (world, disk) = stopped(&scene, steps - 1);
        make_again(&mut world.world.borrow_mut());
        let left = Left::read(&world, &world, 20, &history(&disk)).unwrap();
        assert!(left.passed.is_empty() && left.gone.is_empty(), "{name}: {left:?}");
        let stopped = resume(scene.proposal(), &world, &disk);
        assert!(matches!(stopped, Err(Stop::Drifted { .. })) || !is_theirs(&world), "{name}: {stopped:?}");
    }
}

/// Whether anything was given to the one who bears the name now.
fn is_theirs(world: &Sim) -> bool {
    world.world.borrow().attached.get("user/ann").is_some_and(|list| !list.is_empty())
}

#[test]
fn a_copy_that_somebody_had_who_is_gone_goes_too() {
    let scene = of_two("replace");
    let (world, disk) = applied(&scene);
    delete(&mut world.world.borrow_mut());
    begin(back_from(&world, &disk).unwrap(), &world, "r").1.unwrap();
    assert!(!world.world.borrow().policies.contains_key("arn:aws:iam::111122223333:policy/Copy"));
    // As when the only one who had it is gone.
    let own = scenes::scene("replace");
    let (world, disk) = applied(&own);
    world.world.borrow_mut().entities.remove("role/ci");
    world.world.borrow_mut().attached.remove("role/ci");
    begin(back_from(&world, &disk).unwrap(), &world, "r").1.unwrap();
    assert!(!world.world.borrow().policies.keys().any(|arn| arn.ends_with("Copy")));
    assert!(!world.world.borrow().policies.contains_key(SHARED));
}

#[test]
fn a_write_in_doubt_of_who_is_gone_keeps_neither_way() {
    let scene = of_two(BEARS);
    let [start, end] = without_ann(&scene);
    let steps = scene.proposal().steps().to_vec();
    let of_ann: Vec<usize> = (0..steps.len()).filter(|at| steps[*at].unit.starts_with("user/ann/")).collect();
    assert_eq!(of_ann.len(), 3, "{steps:?}");
    for (at, is_made) in of_ann.iter().flat_map(|at| [(*at, false), (*at, true)]) {
        for goes_on in [true, false] {
            let context = format!("{at}, made: {is_made}, on: {goes_on}");
            let (world, disk) = (sim(&scene), Disk::default());
            PARALLELISM.set(1);
            stop_at(&world, at + usize::from(is_made));
            let _ = apply(scene.proposal(), &world, &disk);
            // Nobody has heard of the write.
            let written = disk.written.borrow().clone();
            let lines: Vec<&[u8]> = written.split_inclusive(|byte| *byte == b'\n').collect();
            let intent = format!(r#""record":"intent","step":{at},"#);
            let last = lines.iter().position(|line| String::from_utf8_lossy(line).contains(&intent)).unwrap();
            *disk.written.borrow_mut() = lines[..=last].concat();
            if goes_on {
                go_on(&world, &disk, &context);
                assert_eq!(world.world.borrow().essence(), end.essence(), "{context}");
                continue;
            }
            world.faults.borrow_mut().clear();
            *world.clock.borrow_mut() += 100;
            delete(&mut world.world.borrow_mut());
            let back = back_from(&world, &disk).unwrap();
            assert!(back.is_whole, "{context}: {back:?}");
            begin(back, &world, "r").1.unwrap();
            assert_eq!(world.world.borrow().essence(), start.essence(), "{context}");
        }
    }
}

/// Somebody deletes her key, and nothing else.
fn delete_key(world: &mut World) {
    world.keys.retain(|(who, _), _| who != "ann");
}

#[test]
fn a_deleted_key_of_somebody_who_is_there_blocks_neither_way() {
    let scene = of_bearers();
    let (mut start, mut end) = (scene.world.clone(), applied(&scene).0.world.borrow().clone());
    delete_key(&mut start);
    delete_key(&mut end);
    let told = |back: &crate::apply::Rollback| back.kept.iter().map(|kept| kept.detail.clone()).collect::<Vec<_>>();
    // Whoever has her name now has another id, and not this key.
    let (world, disk) = applied(&scene);
    let at =
        scene.proposal().steps().iter().position(|step| matches!(step.effect, crate::apply::Effect::SetKey { .. }));
    delete_key(&mut world.world.borrow_mut());
    world.world.borrow_mut().entities.insert("user/ann".to_owned(), "ID-again".to_owned());
    let stand = crate::apply::look(&world, &history(&disk), at.unwrap()).unwrap();
    assert!(matches!(&stand, crate::apply::Stand::Gone(why) if why.contains("AKIA1")), "{stand:?}");
    // Back, and back from there, whenever it is deleted.
    let (world, disk) = applied(&scene);
    delete_key(&mut world.world.borrow_mut());
    let back = back_from(&world, &disk).unwrap();
    assert!(back.is_whole, "{back:?}");
    assert_eq!(told(&back), ["access key AKIA1 of user/ann is gone: nothing is given back to it"]);
    begin(back, &world, "r").1.unwrap();
    assert_eq!(world.world.borrow().essence(), start.essence());
    let (world, disk) = applied(&scene);
    let (own, ended) = begin(back_from(&world, &disk).unwrap(), &world, "r");
    ended.unwrap();
    delete_key(&mut world.world.borrow_mut());
    let again = back_from(&world, &own).unwrap();
    assert_eq!(told(&again), ["access key AKIA1 of user/ann is gone: nothing is taken from it"]);
    begin(again, &world, "rr").1.unwrap();
    assert_eq!(world.world.borrow().essence(), end.essence());
}

#[test]
fn a_deleted_key_of_somebody_who_is_there_is_passed_over_open_and_in_doubt() {
    let scene = of_bearers();
    let mut end = applied(&scene).0.world.borrow().clone();
    delete_key(&mut end);
    let steps = scene.proposal().steps().to_vec();
    let at = steps.iter().position(|step| matches!(step.effect, crate::apply::Effect::SetKey { .. })).unwrap();
    for (is_in_doubt, goes_on) in [(false, true), (true, true), (true, false)] {
        let context = format!("in doubt: {is_in_doubt}, on: {goes_on}");
        let (world, disk) = (sim(&scene), Disk::default());
        PARALLELISM.set(1);
        stop_at(&world, at);
        apply(scene.proposal(), &world, &disk).unwrap_err();
        if is_in_doubt {
            // Nobody has heard of the write.
            let written = disk.written.borrow().clone();
            let lines: Vec<&[u8]> = written.split_inclusive(|byte| *byte == b'\n').collect();
            let intent = format!(r#""record":"intent","step":{at},"#);
            let last = lines.iter().position(|line| String::from_utf8_lossy(line).contains(&intent)).unwrap();
            *disk.written.borrow_mut() = lines[..=last].concat();
        }
        world.faults.borrow_mut().clear();
        *world.clock.borrow_mut() += 100;
        delete_key(&mut world.world.borrow_mut());
        if !goes_on {
            assert!(back_from(&world, &disk).unwrap().is_whole, "{context}");
            continue;
        }
        let left = Left::read(&world, &world, 20, &history(&disk)).unwrap();
        assert_eq!(left.passed[&at], "access key AKIA1 of user/ann is gone", "{context}");
        assert!(left.gone.is_empty(), "{context}: {left:?}");
        resume(scene.proposal(), &world, &disk).unwrap_or_else(|stop| panic!("{context}: {stop:?}"));
        let after = history(&disk);
        assert_eq!(*after.state(), State::Done, "{context}");
        assert!(matches!(after.progress(at), Progress::Skipped { withheld: true, .. }), "{context}");
        assert_eq!(world.world.borrow().essence(), end.essence(), "{context}");
    }
}
