//! What a rollback kept, since it was as before when it was planned: what is written beside it rests on it, as long as it is so.

use super::exchange::{applied, back_from, begin, stop_at};
use super::scenes::{self, Scene, document};
use super::sim::{Disk, Sim, World};
use super::{PARALLELISM, apply, history, sim};
use crate::apply::{Effect, Left, Stop};
use crate::plan::ChangeAction;

const SHARED: &str = "arn:aws:iam::111122223333:policy/shared";
const COPY: &str = "arn:aws:iam::111122223333:policy/Copy";

fn inline() -> (String, String) {
    ("role/ci".to_owned(), "a".to_owned())
}

/// A copy is attached, and what it is of goes from an inline policy: one group.
fn with_inline() -> Scene {
    let mut scene = scenes::all().into_iter().find(|scene| scene.name == "replace").unwrap();
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
