//! What a rollback kept, since it was as before when it was planned: what is written beside it rests on it, as long as it is so.

use super::exchange::{applied, back_from, begin, stop_at};
use super::forged::saying;
use super::scenes::{self, Scene, document};
use super::sim::{Disk, Sim, World};
use super::{PARALLELISM, apply, history, sim, wide};
use crate::apply::{Effect, Left, Origin, Stop};
use crate::plan::ChangeAction;

const SHARED: &str = "arn:aws:iam::111122223333:policy/shared";
const COPY: &str = "arn:aws:iam::111122223333:policy/Copy";

fn inline() -> (String, String) {
    ("role/ci".to_owned(), "a".to_owned())
}

/// A copy is attached, and what it is of goes from an inline policy: one group.
fn with_inline() -> Scene {
    let mut scene = scenes::scene("replace");
    scene.name = "inline";
    scene.changes.retain(|change| change.action != ChangeAction::Detach);
    let mut own = scenes::inline("a", ChangeAction::Update, Some("s3:Less"));
    own.group = Some("group".to_owned());
    own.depends_on = scene.changes.iter().map(|change| change.address.clone()).collect();
    scene.changes.push(own);
    scene.world.inline.insert(inline(), document("s3:*"));
    scene
}

/// It is applied, and somebody puts the inline policy back by hand.
fn put_back_by_hand() -> (Sim, Disk) {
    PARALLELISM.set(1);
    let scene = with_inline();
    let (world, disk) = (sim(&scene), Disk::default());
    apply(scene.proposal(), &world, &disk).unwrap();
    *world.clock.borrow_mut() += 100;
    says(&mut world.world.borrow_mut(), "s3:*");
    (world, disk)
}

fn says(world: &mut World, action: &str) {
    world.inline.insert(inline(), document(action));
}

/// What somebody makes of something.
type Move = (&'static str, fn(&mut World));

/// What somebody may make of it while the rollback runs, and afterwards.
const MOVES: [Move; 3] = [
    ("something else", |world| says(world, "s3:Theirs")),
    ("as it was left", |world| says(world, "s3:Less")),
    ("nothing", |world| drop(world.inline.remove(&inline()))),
];

fn has_copy(world: &Sim) -> bool {
    world.world.borrow().attached["role/ci"].iter().any(|own| own == COPY)
}

#[test]
fn what_was_kept_and_is_so_no_more_stops_what_rests_on_it_whatever_it_became() {
    for (name, act) in MOVES {
        let (world, disk) = put_back_by_hand();
        let back = back_from(&world, &disk).unwrap();
        assert!(matches!(back.proposal.steps()[0].effect, Effect::Detach { .. }), "{name}: {:?}", back.proposal);
        *world.before_step.borrow_mut() = Some((0, act));
        let (own, ended) = begin(back, &world, "r");
        let is_told = |detail: &str| detail.starts_with("it rests on what was kept: role/ci/inline/a: ");
        assert!(matches!(&ended, Err(Stop::Drifted { step: 0, detail }) if is_told(detail)), "{name}: {ended:?}");
        assert!(has_copy(&world), "{name}: they would be left with neither");

        // Going on looks before it writes.
        let (below, own) = (history(&disk), history(&own));
        let left = Left::read(&world, &world, 20, &own).unwrap();
        let moved = left.moved(&world, &own, &below).unwrap();
        assert_eq!(moved[0].address, "role/ci/inline/a", "{name}: {moved:?}");
        says(&mut world.world.borrow_mut(), "s3:*");
        assert_eq!(left.moved(&world, &own, &below).unwrap(), [], "{name}: it is so again");
    }
}

#[test]
fn what_a_rollback_itself_writes_beside_what_it_kept_is_no_hindrance() {
    let (world, disk) = put_back_by_hand();
    begin(back_from(&world, &disk).unwrap(), &world, "r").1.unwrap();
    assert!(!has_copy(&world));

    // What was split is whole again by hand; the version that goes, and the part, are what it was exchanged for.
    for writes in 1..3 {
        let (world, disk) = applied("split");
        world.world.borrow_mut().policies.get_mut(SHARED).unwrap().default = "v2".to_owned();
        let back = back_from(&world, &disk).unwrap();
        assert!(matches!(back.proposal.steps()[0].effect, Effect::DeleteVersion { .. }), "{:?}", back.proposal);
        stop_at(&world, writes);
        let (own, ended) = begin(back, &world, "r");
        assert!(matches!(ended, Err(Stop::Call { step, .. }) if step == writes), "{writes}: {ended:?}");
        let own = history(&own);
        let left = Left::read(&world, &world, 20, &own).unwrap();
        assert_eq!(left.moved(&world, &own, &history(&disk)).unwrap(), [], "{writes}");
    }
}

#[test]
fn a_whole_unit_that_is_said_to_be_kept_and_is_done_is_told() {
    PARALLELISM.set(1);
    let scene = wide::wide();
    let (world, disk) = (sim(&scene), Disk::default());
    apply(scene.proposal(), &world, &disk).unwrap();
    *world.clock.borrow_mut() += 100;
    let honest = back_from(&world, &disk).unwrap();
    let below = history(&disk);
    let units: std::collections::BTreeSet<&str> = below.steps().iter().map(|step| step.unit.as_str()).collect();
    let mut all = Vec::new();
    for unit in units {
        let mut own = honest.proposal.clone();
        own.steps.retain(|step| step.unit != unit);
        let steps = below.steps().iter().enumerate().filter(|(_, step)| step.unit == unit);
        // What no rollback may say that it kept is refused before.
        let its: Vec<usize> =
            steps.filter(|(_, step)| !matches!(step.effect, Effect::DeleteVersion { .. })).map(|(at, _)| at).collect();
        if let Origin::Rollback { kept, .. } = &mut own.origin {
            kept.clone_from(&its);
        }
        let own = history(&saying(own, "r"));
        let left = Left::read(&world, &world, 20, &own).unwrap();
        assert_eq!(left.moved(&world, &own, &below).unwrap(), [], "{unit}: nothing of it is left");
        let told = left.done_again(&world, &own, &below).unwrap();
        assert_eq!(told.len(), its.len(), "{unit}: {told:?}");
        all.push((own, left));
    }
    assert!(all.len() > 3, "{}", all.len());
    // Once it is as before, it may be kept.
    begin(honest, &world, "s").1.unwrap();
    for (own, left) in all {
        assert_eq!(left.done_again(&world, &own, &below).unwrap(), []);
    }
}

#[test]
fn what_was_kept_and_somebody_has_done_again_is_told_though_nothing_rests_on_it() {
    PARALLELISM.set(1);
    let scene = scenes::scene("several-inline");
    let (world, disk) = (sim(&scene), Disk::default());
    apply(scene.proposal(), &world, &disk).unwrap();
    *world.clock.borrow_mut() += 100;
    let below = history(&disk);
    let rewrites = below.steps().iter().find_map(|step| match step.effect.clone() {
        Effect::PutInline { entity, policy, before: Some(before), after } => Some((entity, policy, before, after)),
        _ => None,
    });
    let (entity, policy, before, after) = rewrites.unwrap();
    let says = |text: &str| {
        let inline = (entity.to_string(), policy.clone());
        world.world.borrow_mut().inline.insert(inline, text.to_owned());
    };
    says(&before);
    let own = history(&saying(back_from(&world, &disk).unwrap().proposal, "r"));
    assert!(!own.steps().is_empty());
    let left = Left::read(&world, &world, 20, &own).unwrap();
    let told = |text: &str| {
        says(text);
        left.done_again(&world, &own, &below).unwrap()
    };
    assert_eq!(told(&before), []);
    let again = told(&after);
    assert!(again.len() == 1 && again[0].detail.ends_with("and is done now"), "{again:?}");
    assert_eq!(told(&document("s3:Theirs")), [], "that is somebody else's work");
}
