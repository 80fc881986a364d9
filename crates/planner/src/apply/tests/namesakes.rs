//! A policy that somebody deleted and made again is another one: nobody gets it, nobody loses it, and nothing rests on it.

use std::collections::BTreeSet;

use secateur_analyzer::document::fingerprint;

use super::exchange::{applied, back_from, begin, stop_at, stopped};
use super::scenes;
use super::sim::{Disk, Policy, Sim, World};
use super::{PARALLELISM, apply, history, resume, sim};
use crate::apply::journal::close;
use crate::apply::look::undone;
use crate::apply::{Effect, Left, RollbackError, Stand, Step, Stop, is_as_left, look};
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
    attach.target.unique_id = "ANPACOPY".to_owned();
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
