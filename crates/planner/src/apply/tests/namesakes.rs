//! A policy that somebody deleted and made again is another one: nobody gets it, nobody loses it, and nothing rests on it.

use std::collections::BTreeSet;

use secateur_analyzer::document::fingerprint;

use super::exchange::{applied, back_from, begin, stop_at, stopped};
use super::scenes;
use super::sim::{Disk, Hand, Policy, Sim, World};
use super::{PARALLELISM, apply, history, resume, sim};
use crate::apply::journal::close;
use crate::apply::look::undone;
use crate::apply::{Effect, EntityRef, Left, RollbackError, Stand, Step, Stop, is_as_left, look, moves};
use crate::plan::ChangeAction;

const COPY: &str = "arn:aws:iam::111122223333:policy/Copy";

/// Somebody deletes the copy, and makes one of its name that says something.
fn made_again(world: &mut World, says: &str) {
    let versions = [("v1".to_owned(), says.to_owned())].into();
    let other = Policy { unique_id: "ANPAOTHER".to_owned(), default: "v1".to_owned(), versions, next: 2 };
    world.policies.insert(COPY.to_owned(), other);
}

fn edit_the_copy(world: &mut World) {
    let copy = world.policies.get_mut(COPY).unwrap();
    copy.versions.insert("v2".to_owned(), "{\"Statement\":[]}".to_owned());
    copy.default = "v2".to_owned();
}

fn text(world: &Sim) -> String {
    let world = world.world.borrow();
    let copy = &world.policies[COPY];
    copy.versions[&copy.default].clone()
}

fn holds(world: &Sim, policy: &str) -> bool {
    world.world.borrow().attached["role/ci"].iter().any(|own| own == policy)
}

/// Going on is refused with this, and no command is named.
fn is_told_without_a_command(world: &Sim, disk: &Disk, expect: &str) {
    let left = Left::read(world, world, 20, &history(disk)).unwrap();
    let told = left.broken(world, &history(disk)).unwrap();
    assert!(told[0].detail.contains(expect), "{told:?}");
    assert!(told.iter().all(|told| !told.detail.contains("aws iam")), "{told:?}");
}

#[test]
fn nobody_is_told_to_attach_another_policy_of_its_name() {
    for says in [None, Some("{\"Statement\":[]}")] {
        let (world, disk) = stopped(&scenes::scene("replace"), 2);
        let says = says.map_or_else(|| text(&world), str::to_owned);
        made_again(&mut world.world.borrow_mut(), &says);
        world.world.borrow_mut().attached.get_mut("role/ci").unwrap().retain(|own| own != COPY);
        is_told_without_a_command(&world, &disk, "deleted and made again: it is ANPAOTHER");
    }
}

#[test]
fn a_copy_that_was_edited_is_not_told_to_be_attached() {
    let (world, disk) = stopped(&scenes::scene("replace"), 2);
    edit_the_copy(&mut world.world.borrow_mut());
    world.world.borrow_mut().attached.get_mut("role/ci").unwrap().retain(|own| own != COPY);
    is_told_without_a_command(&world, &disk, "says something else now");
}

#[test]
fn nothing_goes_while_another_policy_of_its_name_takes_its_place() {
    let (world, disk) = stopped(&scenes::scene("replace"), 2);
    let says = text(&world);
    made_again(&mut world.world.borrow_mut(), &says);
    assert!(holds(&world, COPY));
    assert!(matches!(resume(scenes::scene("replace").proposal(), &world, &disk), Err(Stop::Drifted { .. })));
    assert!(holds(&world, scenes::OF_AWS));
}

#[test]
fn a_rollback_detaches_no_other_policy_of_its_name_and_gives_none_back() {
    // The original is attached again, and the copy not yet detached.
    let (world, disk) = applied("replace");
    let back = back_from(&world, &disk).unwrap();
    let at = back.proposal.steps().iter().position(|step| matches!(step.effect, Effect::Detach { .. })).unwrap();
    assert!(back.proposal.steps()[at].unique_id.is_some());
    stop_at(&world, 1);
    let (own, ended) = begin(back, &world, "r");
    ended.unwrap_err();
    world.faults.borrow_mut().clear();
    let says = text(&world);
    made_again(&mut world.world.borrow_mut(), &says);
    let stand = look(&world, &history(&own), at).unwrap();
    assert!(matches!(&stand, Stand::Other(why) if why.contains("made again")), "{stand:?}");
    // The copy is detached, and not yet deleted.
    let (world, disk) = applied("replace");
    let back = back_from(&world, &disk).unwrap();
    stop_at(&world, 2);
    let (own, ended) = begin(back, &world, "r");
    ended.unwrap_err();
    world.faults.borrow_mut().clear();
    let says = text(&world);
    made_again(&mut world.world.borrow_mut(), &says);
    match back_from(&world, &own) {
        Err(RollbackError::Drifted { drifted, .. }) => {
            assert!(drifted.iter().any(|kept| kept.detail.contains("another one of its name")), "{drifted:?}");
        }
        other => panic!("{other:?}"),
    }
    assert!(!holds(&world, COPY));
}

#[test]
fn a_journal_is_as_it_left_it_only_with_all_that_it_did_as_one() {
    let (world, disk) = applied("replace");
    let address = "role/ci/attached/aws:";
    let own = history(&disk);
    let detached = own.steps().iter().find(|step| matches!(step.effect, Effect::Detach { .. })).unwrap();
    assert!(detached.address.starts_with(address), "{}", detached.address);
    assert!(is_as_left(&world, &own, &detached.address).unwrap());
    world.world.borrow_mut().attached.get_mut("role/ci").unwrap().clear();
    world.world.borrow_mut().policies.remove(COPY);
    assert!(!is_as_left(&world, &own, &detached.address).unwrap());
}

#[test]
fn what_was_made_anew_on_the_way_back_is_no_other_policy() {
    let (world, disk) = applied("replace");
    let (first, ended) = begin(back_from(&world, &disk).unwrap(), &world, "r");
    ended.unwrap();
    // Taken back again: the copy is created anew, and not attached yet.
    stop_at(&world, 1);
    let (second, ended) = begin(back_from(&world, &first).unwrap(), &world, "rr");
    ended.unwrap_err();
    world.faults.borrow_mut().clear();
    assert!(world.world.borrow().policies.contains_key(COPY));
    let noted = history(&first).note(&history(&second), true).unwrap();
    let now = crate::apply::Clock::now(&world);
    close(first.clone(), &mut history(&first), noted, now).unwrap();
    let back = back_from(&world, &first).unwrap();
    let attaches = |step: &Step| matches!(&step.effect, Effect::Attach { policy, .. } if policy.as_str() == COPY);
    assert!(back.proposal.steps().iter().any(attaches), "{:?}", back.proposal.steps());
    begin(back, &world, "r2").1.unwrap();
    assert!(holds(&world, COPY) && !holds(&world, scenes::OF_AWS));
}

/// The copy was there before: it is attached, and not created.
fn adopted() -> scenes::Scene {
    let mut scene = scenes::scene("replace");
    let says = scenes::document("s3:Copy");
    scene.changes.retain(|change| change.action != ChangeAction::Create);
    for change in &mut scene.changes {
        change.depends_on.retain(|on| on != "policy/Copy");
    }
    let attach = scene.changes.iter_mut().find(|change| change.action == ChangeAction::Attach).unwrap();
    attach.expects.document = Some(fingerprint(&says));
    let versions = [("v1".to_owned(), says)].into();
    let copy = Policy { unique_id: "ANPACOPY".to_owned(), default: "v1".to_owned(), versions, next: 1 };
    scene.world.policies.insert(COPY.to_owned(), copy);
    scene
}

#[test]
fn nothing_goes_for_a_copy_that_was_there_before_and_was_edited_since() {
    let scene = adopted();
    let is_detach = |step: &Step| matches!(step.effect, Effect::Detach { .. });
    let at = scene.proposal().steps().iter().position(is_detach).unwrap();
    // Between the two, in one run.
    PARALLELISM.set(1);
    let (world, disk) = (sim(&scene), Disk::default());
    *world.before_step.borrow_mut() = Some((at, edit_the_copy));
    let stop = apply(scene.proposal(), &world, &disk).unwrap_err();
    let is_told = |detail: &str| detail.contains("does not say what it said when this was reviewed");
    assert!(matches!(&stop, Stop::Drifted { step, detail } if *step == at && is_told(detail)), "{stop:?}");
    assert!(holds(&world, scenes::OF_AWS));
    // Before a second one: it is told with what mends it, and done once it is mended.
    let (world, disk) = stopped(&scene, at);
    edit_the_copy(&mut world.world.borrow_mut());
    let left = Left::read(&world, &world, 20, &history(&disk)).unwrap();
    let told = left.broken(&world, &history(&disk)).unwrap();
    assert!(is_told(&told[0].detail) && told[0].detail.contains("set-default-policy-version"), "{told:?}");
    assert!(matches!(resume(scene.proposal(), &world, &disk), Err(Stop::Drifted { .. })));
    assert!(holds(&world, scenes::OF_AWS));
    world.world.borrow_mut().policies.get_mut(COPY).unwrap().default = "v1".to_owned();
    resume(scene.proposal(), &world, &disk).unwrap();
    assert!(holds(&world, COPY) && !holds(&world, scenes::OF_AWS));
}

#[test]
fn a_policy_that_was_made_again_bears_nothing_whatever_it_says() {
    const SHARED: &str = "arn:aws:iam::111122223333:policy/shared";
    let (world, disk) = applied("update");
    let own = history(&disk);
    let at = own.steps().iter().position(|step| matches!(step.effect, Effect::SetDefault { .. })).unwrap();
    let stands = || undone(&world, &own, at, &BTreeSet::new()).unwrap();
    assert_eq!(stands(), None);
    // Another version of the same text is in force.
    {
        let mut world = world.world.borrow_mut();
        let policy = world.policies.get_mut(SHARED).unwrap();
        let says = policy.versions[&policy.default].clone();
        policy.versions.insert("v9".to_owned(), says);
        policy.default = "v9".to_owned();
    }
    assert_eq!(stands(), None);
    world.world.borrow_mut().policies.get_mut(SHARED).unwrap().unique_id = "ANPAOTHER".to_owned();
    assert!(stands().is_some_and(|detail| detail.contains("deleted and made again")));
}

/// A rollback that was killed behind its first write: what it gave back is there, and so is what that was exchanged for.
fn half_back(name: &str) -> (Sim, Disk) {
    let (world, disk) = applied(name);
    stop_at(&world, 1);
    let (own, ended) = begin(back_from(&world, &disk).unwrap(), &world, "r");
    ended.unwrap_err();
    world.faults.borrow_mut().clear();
    (world, own)
}

#[test]
fn the_way_back_from_half_a_rollback_takes_nothing_for_a_copy_that_is_another_one_by_now() {
    let again = |world: &mut World| {
        let copy = &world.policies[COPY];
        let says = copy.versions[&copy.default].clone();
        made_again(world, &says);
    };
    let acts: [(&str, Hand); 2] = [("does not say what it said", edit_the_copy), ("deleted and made again", again)];
    for (name, (expect, act)) in ["replace", "split"].into_iter().flat_map(|name| acts.map(|act| (name, act))) {
        let (world, own) = half_back(name);
        let honest = back_from(&world, &own).unwrap();
        act(&mut world.world.borrow_mut());
        let before = world.world.borrow().essence();
        match back_from(&world, &own) {
            Err(RollbackError::Drifted { drifted, .. }) => {
                assert!(drifted.iter().any(|kept| kept.detail.contains(expect)), "{name}: {drifted:?}");
            }
            other => panic!("{name}, {expect}: {other:?}"),
        }
        // Nor does one write it that had been planned before.
        let (_, ended) = begin(honest, &world, "rr");
        assert!(matches!(&ended, Err(Stop::Drifted { detail, .. }) if detail.contains(expect)), "{name}: {ended:?}");
        assert_eq!(world.world.borrow().essence(), before, "{name}");
    }
    // Whatever came of it, who left it as it was is taken back.
    for name in ["replace", "split"] {
        let (world, own) = half_back(name);
        begin(back_from(&world, &own).unwrap(), &world, "rr").1.unwrap();
        assert!(holds(&world, COPY), "{name}");
    }
}

#[test]
fn a_rollback_takes_no_copy_from_anybody_that_was_edited_since_and_says_so_before_it_begins() {
    let (world, disk) = (sim(&adopted()), Disk::default());
    PARALLELISM.set(1);
    apply(adopted().proposal(), &world, &disk).unwrap();
    *world.clock.borrow_mut() += 100;
    let drifted = || match back_from(&world, &disk) {
        Err(RollbackError::Drifted { drifted, .. }) => drifted,
        other => panic!("{other:?}"),
    };
    edit_the_copy(&mut world.world.borrow_mut());
    let told = drifted();
    assert!(told[0].detail.contains("this takes its place") && told[0].detail.contains("--version-id v1"), "{told:?}");
    // What it took the place of was given back by hand.
    world.world.borrow_mut().attached.get_mut("role/ci").unwrap().push(scenes::OF_AWS.to_owned());
    let told = drifted();
    assert!(told[0].detail.contains("says something else now, and is not taken away"), "{told:?}");
    assert!(told[0].detail.contains("--version-id v1"), "{told:?}");
    world.world.borrow_mut().policies.get_mut(COPY).unwrap().versions.remove("v1");
    assert!(drifted()[0].detail.ends_with("no version of it says that any more"));
}

#[test]
fn a_later_journal_moves_what_an_earlier_one_rests_on_at_another_address_too() {
    let steps = |name: &str| scenes::scene(name).proposal().steps().to_vec();
    let find = |all: &[Step], is_it: fn(&Effect) -> bool| all.iter().position(|step| is_it(&step.effect)).unwrap();
    let is_create = |effect: &Effect| matches!(effect, Effect::CreatePolicy { .. });
    let is_attach = |effect: &Effect| matches!(effect, Effect::Attach { .. });
    let is_detach = |effect: &Effect| matches!(effect, Effect::Detach { .. });
    let own = steps("replace");
    let (create, attach, detach) = (find(&own, is_create), find(&own, is_attach), find(&own, is_detach));
    // Somebody prunes the copy: what it was exchanged for rests on it, and so does who got it.
    let mut prunes = steps("update").into_iter().find(|step| matches!(step.effect, Effect::SetDefault { .. })).unwrap();
    assert!(!moves(&prunes, &own, detach));
    if let Effect::SetDefault { policy, .. } = &mut prunes.effect {
        *policy = COPY.parse().unwrap();
    }
    assert!([create, attach, detach].iter().all(|at| moves(&prunes, &own, *at)));
    // As it was before, it is in nobody's way.
    if let Effect::SetDefault { to, .. } = &mut prunes.effect {
        to.document = scenes::document("s3:Copy");
    }
    assert!((0..own.len()).all(|at| !moves(&prunes, &own, at)));
    // It is taken from whom it was given to: what it was exchanged for does not come back beside it.
    let mut takes = own[detach].clone();
    if let Effect::Detach { policy, .. } = &mut takes.effect {
        *policy = COPY.parse().unwrap();
    }
    assert!(moves(&takes, &own, detach));
    // Somebody else gets it: it cannot be deleted, and is taken from whom it was given to all the same.
    let mut adopts = own[attach].clone();
    if let Effect::Attach { entity, .. } = &mut adopts.effect {
        *entity = EntityRef::of_address("user/bob").unwrap();
    }
    let moved: Vec<usize> = (0..own.len()).filter(|at| moves(&adopts, &own, *at)).collect();
    assert_eq!(moved, [create]);
}
