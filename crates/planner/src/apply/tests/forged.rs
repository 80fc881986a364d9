//! Rollbacks that somebody edited, with a chain and a digest of their own: no step of one is another than what follows from the
//! journal below, and none is missing. And those that nobody edited, however they came about, bear what was reviewed.

use secateur_analyzer::document::sha256_of;
use secateur_analyzer::time::UnixTime;

use super::exchange::{back_from, begin, stop_at, stopped};
use super::scenes::{self, Scene};
use super::sim::{Disk, Shared, Sim};
use super::{PARALLELISM, apply, author, history, resume, sim, wide};
use crate::apply::approval::{Approval, Proposal};
use crate::apply::exchange::Held;
use crate::apply::journal::{Author, History, Journal, Record, close};
use crate::apply::{
    Bearing, DeriveError, Effect, EntityRef, Left, Origin, RollbackError, Step, VersionRef, bearing, resume_rollback,
    rollback,
};

/// A journal that only began with what somebody wants it to say.
pub fn saying(proposal: Proposal, id: &str) -> Disk {
    let disk = Disk::default();
    let approved = proposal.approve(&Approval::Auto).unwrap();
    let author = Author { id: id.to_owned(), ..author() };
    Journal::begin(disk.clone(), approved, author, UnixTime(2_000_000)).unwrap();
    disk
}

/// The journal of that id, as it stood when the one above was planned.
fn then(above: &History, below: &Disk) -> History {
    let Origin::Rollback { head, .. } = &above.begin().origin else { panic!("{:?}", above.begin().origin) };
    History::read_to(&below.written.borrow(), Some(*head)).unwrap()
}

/// Whether a rollback, the newest of some journals, bears what was reviewed: the apply is the last of them.
fn check(disks: &[&Disk]) -> Result<Bearing, DeriveError> {
    let mut all = vec![history(disks[0])];
    for below in &disks[1..] {
        all.push(then(all.last().unwrap(), below));
    }
    bearing(&all[0], None, &all[1..])
}

fn assert_borne(disks: &[&Disk], context: &str) {
    match check(disks) {
        Ok(Bearing::Unknown(why)) if why.contains("the plan that it was made from") => {}
        other => panic!("{context}: {other:?}"),
    }
}

fn everything() -> Vec<Scene> {
    scenes::all().into_iter().chain([wide::wide()]).collect()
}

/// Applies a scene, and takes that back: the worlds and journals.
fn there_and_back(scene: &Scene) -> (Sim, Disk, Disk) {
    PARALLELISM.set(1);
    let (world, disk) = (sim(scene), Disk::default());
    apply(scene.proposal(), &world, &disk).unwrap();
    *world.clock.borrow_mut() += 100;
    let (own, ended) = begin(back_from(&world, &disk).unwrap(), &world, "r");
    ended.unwrap();
    (world, disk, own)
}

/// What somebody edits of a step; says whether there was something to edit.
type Edit = (&'static str, fn(&mut Step) -> bool);

/// What stands beside a step that is no policy of AWS: what they say is as AWS makes it.
fn first_beside(step: &mut Step) -> Option<&mut Held> {
    step.beside.iter_mut().find(|held| !held.policy.is_aws_managed_policy())
}

const EDITS: [Edit; 13] = [
    ("unit", |step| {
        step.unit.push('x');
        true
    }),
    ("unique_id", |step| {
        step.unique_id = Some("FORGED".to_owned());
        true
    }),
    ("entity_id", |step| {
        step.entity_id = Some("FORGED".to_owned());
        true
    }),
    ("no entity_id", |step| step.entity_id.take().is_some()),
    ("expects", |step| step.expects.take().is_some()),
    ("expects.document", |step| {
        let forged = |expects: &mut crate::plan::Expects| expects.document = Some(sha256_of(b"forged"));
        // What AWS makes of its own policies was read.
        let is_of_aws = step.effect.policy().is_some_and(|policy| policy.is_aws_managed_policy());
        !is_of_aws && step.expects.as_mut().map(forged).is_some()
    }),
    ("expects.inline_size", |step| step.expects.as_mut().map(|expects| expects.inline_size = Some(1)).is_some()),
    ("versions", |step| {
        step.versions.push("v1".to_owned());
        !matches!(step.effect, Effect::CreateVersion { .. })
    }),
    ("beside.document", |step| first_beside(step).map(|held| held.document = Some(sha256_of(b"forged"))).is_some()),
    ("no beside.document", |step| first_beside(step).is_some_and(|held| held.document.take().is_some())),
    ("beside.unique_id", |step| first_beside(step).map(|held| held.unique_id = Some("FORGED".to_owned())).is_some()),
    ("no beside", |step| !std::mem::take(&mut step.beside).is_empty()),
    ("version", |step| match &mut step.effect {
        Effect::SetDefault { to, .. } | Effect::DeleteVersion { version: to, .. } => {
            to.version = VersionRef::Id("v77".to_owned());
            true
        }
        _ => false,
    }),
];

/// All proposals that somebody might make of one.
fn forged(honest: &Proposal) -> Vec<(String, Proposal)> {
    let mut all = Vec::new();
    for at in 0..honest.steps.len() {
        for (name, edit) in EDITS {
            let mut own = honest.clone();
            if edit(&mut own.steps[at]) {
                all.push((format!("{at}: {name}"), own));
            }
        }
        let mut without = honest.clone();
        without.steps.remove(at);
        all.push((format!("{at}: left out"), without));
        let mut twice = honest.clone();
        twice.steps.push(honest.steps[at].clone());
        all.push((format!("{at}: twice"), twice));
        if at > 0 {
            let mut swapped = honest.clone();
            swapped.steps.swap(at - 1, at);
            all.push((format!("{at}: swapped"), swapped));
        }
        let mut more = honest.clone();
        let ci = EntityRef::of_address("user/bob").unwrap();
        more.steps[at].beside.push(Held {
            entity: ci,
            policy: scenes::OF_AWS.parse().unwrap(),
            document: None,
            unique_id: None,
        });
        all.push((format!("{at}: more beside"), more));
    }
    for is_kept in [true, false] {
        let mut own = honest.clone();
        if let Origin::Rollback { kept, left, .. } = &mut own.origin {
            if is_kept { kept.push(0) } else { left.push(0) }
        }
        all.push((format!("the first is left, kept: {is_kept}"), own));
    }
    all
}

#[test]
fn nothing_of_a_rollback_is_another_than_what_follows_from_the_journal_below() {
    let mut tried = 0;
    for scene in everything() {
        let (world, applied, back) = there_and_back(&scene);
        let again = back_from(&world, &back).unwrap().proposal;
        let above = saying(again.clone(), "rr");
        assert_borne(&[&above, &back, &applied], scene.name);
        let honest = resume_rollback(&history(&back)).unwrap();
        for (what, forged) in forged(&honest) {
            let refused = check(&[&saying(forged, "r"), &applied]);
            assert!(refused.is_err(), "{}, {what}: {refused:?}", scene.name);
            tried += 1;
        }
        for (what, forged) in forged(&again) {
            let refused = check(&[&saying(forged, "rr"), &back, &applied]);
            assert!(refused.is_err(), "{}, again, {what}: {refused:?}", scene.name);
            tried += 1;
        }
    }
    println!("{tried} forged rollbacks");
}

#[test]
fn a_rollback_of_some_units_bears_what_was_reviewed_and_does_not_say_that_it_is_whole() {
    let scene = wide::wide();
    let (_, applied, back) = there_and_back(&scene);
    let honest = resume_rollback(&history(&back)).unwrap();
    let unit = honest.steps[0].unit.clone();
    for is_whole in [false, true] {
        let mut own = honest.clone();
        own.steps.retain(|step| step.unit == unit);
        assert!(own.steps.len() < honest.steps.len());
        if let Origin::Rollback { whole, .. } = &mut own.origin {
            *whole = is_whole;
        }
        let said = check(&[&saying(own, "r"), &applied]);
        assert_eq!(said.is_err(), is_whole, "{said:?}");
    }
}

#[test]
fn a_rollback_that_nobody_edited_bears_what_was_reviewed_wherever_those_before_it_stopped() {
    PARALLELISM.set(1);
    let mut tried = 0;
    for scene in everything() {
        for (writes, is_lost) in (1..=scene.proposal().steps().len()).flat_map(|at| [(at, false), (at, true)]) {
            let (world, disk) = (sim(&scene), Disk::default());
            stop_at(&world, writes);
            let _ = apply(scene.proposal(), &world, &disk);
            world.faults.borrow_mut().clear();
            *world.clock.borrow_mut() += 100;
            if is_lost {
                // The last answer was lost: whether it is done is read.
                let written = disk.written.borrow().clone();
                let lines: Vec<&[u8]> = written.split_inclusive(|byte| *byte == b'\n').collect();
                let is_intent = |line: &&[u8]| String::from_utf8_lossy(line).contains("\"intent\"");
                let last = lines.iter().rposition(is_intent).unwrap();
                *disk.written.borrow_mut() = lines[..=last].concat();
            }
            let context = format!("{}, {writes}, {is_lost}", scene.name);
            let back = back_from(&world, &disk).unwrap();
            let steps = back.proposal.steps.len();
            for stopped in 1..=steps {
                let there = Sim { world: Shared::new(world.world.borrow().clone()), ..sim(&scene) };
                *there.clock.borrow_mut() = *world.clock.borrow();
                stop_at(&there, stopped);
                let (own, _) = begin(back.clone(), &there, "r");
                there.faults.borrow_mut().clear();
                assert_borne(&[&own, &disk], &context);
                let again = saying(back_from(&there, &own).unwrap().proposal, "rr");
                assert_borne(&[&again, &own, &disk], &format!("{context}, {stopped}"));
                tried += 1;
            }
        }
    }
    println!("{tried} rollbacks of rollbacks");
}

#[test]
fn what_a_rollback_says_that_it_kept_is_looked_at_before_it_is_gone_on_with() {
    let scene = scenes::scene("split");
    PARALLELISM.set(1);
    let (world, applied) = (sim(&scene), Disk::default());
    apply(scene.proposal(), &world, &applied).unwrap();
    *world.clock.borrow_mut() += 100;
    let honest = back_from(&world, &applied).unwrap().proposal;
    // Somebody says that what was split is whole again: the part would go, and the rest stay less.
    let mut own = honest.clone();
    let choice = own.steps.iter().position(|step| matches!(step.effect, Effect::SetDefault { .. })).unwrap();
    own.steps.remove(choice);
    let below = history(&applied);
    let is_choice = |step: &Step| matches!(step.effect, Effect::SetDefault { .. });
    let at = below.steps().iter().position(is_choice).unwrap();
    if let Origin::Rollback { kept, .. } = &mut own.origin {
        kept.push(at);
    }
    let forged = saying(own, "r");
    assert_borne(&[&forged, &applied], "nobody can tell from the journals alone");
    let left = Left::read(&world, &world, 20, &history(&forged)).unwrap();
    let moved = left.moved(&world, &history(&forged), &below).unwrap();
    assert!(moved[0].detail.contains("it was as before when this was planned, and is not now"), "{moved:?}");
    // What was kept, and is so, is no hindrance.
    let (_, ended) = begin(rollback(&world, &world, 20, &below, |_| true).unwrap(), &world, "s");
    ended.unwrap();
    assert_eq!(left.moved(&world, &history(&forged), &below).unwrap(), []);
}

/// An applied scene, and a rollback of it from which somebody has taken what leads back from a step, and says that it was kept.
fn said_to_be_kept(name: &str, is_it: fn(&Step) -> bool, leads_back: fn(&Step) -> bool) -> (Sim, Disk, Disk) {
    PARALLELISM.set(1);
    let scene = scenes::scene(name);
    let (world, applied) = (sim(&scene), Disk::default());
    apply(scene.proposal(), &world, &applied).unwrap();
    *world.clock.borrow_mut() += 100;
    let mut own = back_from(&world, &applied).unwrap().proposal;
    let at = history(&applied).steps().iter().position(is_it).unwrap();
    let steps = own.steps.len();
    own.steps.retain(|step| !leads_back(step));
    assert!(own.steps.len() + 1 == steps && steps > 1, "{name}: {own:?}");
    if let Origin::Rollback { kept, .. } = &mut own.origin {
        kept.push(at);
    }
    (world, applied, saying(own, "r"))
}

#[test]
fn a_version_that_was_deleted_is_none_to_keep() {
    let is_deletion = |step: &Step| matches!(step.effect, Effect::DeleteVersion { .. });
    let creates = |step: &Step| matches!(step.effect, Effect::CreateVersion { .. });
    let (_, applied, forged) = said_to_be_kept("update-with-evict", is_deletion, creates);
    let refused = check(&[&forged, &applied]).unwrap_err();
    assert!(refused.detail.contains("j did it, and nobody can undo it: it is none to keep"), "{refused:?}");
}

#[test]
fn a_version_that_is_there_was_not_kept_as_gone() {
    let is_deletion = |step: &Step| matches!(step.effect, Effect::DeleteVersion { .. });
    let creates = |step: &Step| matches!(step.effect, Effect::CreateVersion { .. });
    for name in ["update", "split"] {
        let (world, applied, forged) = said_to_be_kept(name, creates, is_deletion);
        assert_borne(&[&forged, &applied], "nobody can tell from the journals alone");
        let (own, below) = (history(&forged), history(&applied));
        let left = Left::read(&world, &world, 20, &own).unwrap();
        let moved = left.moved(&world, &own, &below).unwrap();
        let policy = "arn:aws:iam::111122223333:policy/shared";
        let id = world.world.borrow().policies[policy].default.clone();
        assert!(
            moved[0].detail.ends_with(&format!("and is not now: {id} of policy/shared is there")),
            "{name}: {moved:?}"
        );
        // Somebody has deleted it by hand.
        let mut there = world.world.borrow_mut();
        let policy = there.policies.get_mut(policy).unwrap();
        policy.versions.remove(&id);
        policy.default = policy.versions.keys().next().unwrap().clone();
        drop(there);
        assert_eq!(left.moved(&world, &own, &below).unwrap(), [], "{name}");
    }
}

#[test]
fn reads_that_show_a_deleted_version_do_not_make_it_kept() {
    let (world, applied, _) = said_to_be_kept(
        "update-with-evict",
        |step| matches!(step.effect, Effect::DeleteVersion { .. }),
        |step| matches!(step.effect, Effect::CreateVersion { .. }),
    );
    let deleted = scenes::scene("update-with-evict").world;
    *world.world.borrow_mut() = deleted;
    let refused = back_from(&world, &applied);
    assert!(matches!(&refused, Err(RollbackError::Drifted { .. })), "{refused:?}");
    let said = format!("{refused:?}");
    assert!(said.contains("none comes back under its id"), "{said}");
}

#[test]
fn where_the_journal_below_is_not_what_it_was_nobody_can_tell() {
    let scene = scenes::all().remove(0);
    let (_, applied, back) = there_and_back(&scene);
    let mut own = resume_rollback(&history(&back)).unwrap();
    if let Origin::Rollback { head, .. } = &mut own.origin {
        *head = sha256_of(b"another");
    }
    let said = check(&[&saying(own, "r"), &applied]);
    assert!(matches!(&said, Ok(Bearing::Unknown(why)) if why.contains("is not what it was then")), "{said:?}");
}

/// A journal that stopped after its first write, the world that it left, and a rollback of it that only began.
fn begun_below() -> (Scene, Sim, Disk, Disk) {
    PARALLELISM.set(1);
    let scene = scenes::scene("several-inline");
    let (world, disk) = stopped(&scene, 1);
    let back = saying(back_from(&world, &disk).unwrap().proposal, "r");
    (scene, world, disk, back)
}

#[test]
fn a_rollback_that_does_not_follow_from_what_was_done_by_then_is_an_older_one() {
    let (scene, world, below, back) = begun_below();
    assert_borne(&[&back, &below], "only begun");
    let old = back.written.borrow().clone();
    // It is left, and the journal below goes on: nobody has edited anything, and nobody can tell.
    let mut own = history(&back);
    let record = Record::Abandoned { reason: "TEXT".to_owned() };
    close(back.clone(), &mut own, record, UnixTime(2_000_000)).unwrap();
    resume(scene.proposal(), &world, &below).unwrap();
    let said = check(&[&back, &below]);
    assert!(
        matches!(&said, Ok(Bearing::Unknown(why)) if why == "j, which it took back, has gone on since"),
        "{said:?}"
    );
    // An older copy of it, and one that was planned by what stood there earlier, say that it has not ended, or has taken back all.
    *back.written.borrow_mut() = old;
    let said = check(&[&back, &below]);
    assert!(matches!(&said, Err(error) if error.detail.contains("is an older copy")), "{said:?}");
    let (done, ended) = {
        let head = then(&history(&back), &below);
        begin(rollback(&world, &world, 20, &head, |_| true).unwrap(), &world, "r")
    };
    ended.unwrap();
    let said = check(&[&done, &below]);
    assert!(matches!(&said, Err(error) if error.detail.contains("is an older copy")), "{said:?}");
    let again = saying(back_from(&world, &done).unwrap().proposal, "rr");
    assert!(check(&[&again, &done, &below]).is_err(), "wherever in the chain");
}

#[test]
fn where_another_rollback_of_the_same_journal_ended_first_nobody_can_tell() {
    let (_, world, below, back) = begun_below();
    let (other, ended) = begin(back_from(&world, &below).unwrap(), &world, "other");
    ended.unwrap();
    let mut own = history(&below);
    let record = own.note(&history(&other), true).unwrap();
    close(below.clone(), &mut own, record, UnixTime(3_000_000)).unwrap();
    let said = check(&[&back, &below]);
    assert!(matches!(&said, Ok(Bearing::Unknown(why)) if why.starts_with("other took j back too")), "{said:?}");
    assert_borne(&[&other, &below], "the one that ended");
}
