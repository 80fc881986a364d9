//! Who gets something has what it takes the place of, and who loses something has what takes its place: whoever made it so.

use secateur_analyzer::document::fingerprint;
use secateur_analyzer::time::UnixTime;

use super::scenes::{self, Scene};
use super::sim::{Disk, Fault, Hand, Policy, Shared, Sim, World};
use super::{PARALLELISM, apply, author, history, resume, sim};
use crate::apply::approval::Approval;
use crate::apply::journal::{Author, Journal, Record, close};
use crate::apply::mend;
use crate::apply::{Left, Rollback, RollbackError, Step, Stop, rollback};

const SHARED: &str = "arn:aws:iam::111122223333:policy/shared";
const COPY: &str = "arn:aws:iam::111122223333:policy/Copy";

fn take(world: &mut World, policy: &str) {
    world.attached.get_mut("role/ci").unwrap().retain(|own| own != policy);
}

fn take_the_original(world: &mut World) {
    take(world, scenes::OF_AWS);
    take(world, SHARED);
}

fn give_the_original(world: &mut World) {
    world.attached.get_mut("role/ci").unwrap().push(scenes::OF_AWS.to_owned());
}

fn take_the_copy(world: &mut World) {
    take(world, COPY);
}

fn has(world: &Sim, policy: &str) -> bool {
    world.world.borrow().attached["role/ci"].iter().any(|own| own == policy)
}

/// The scenes in which something is exchanged, and what for the copy.
const BOTH: [(&str, &str); 2] = [("replace", scenes::OF_AWS), ("split", SHARED)];

/// Applies as a journal of its own.
pub fn begin(back: Rollback, world: &Sim, id: &str) -> (Disk, Result<(), Stop>) {
    let own = Disk::default();
    let approved = back.proposal.approve(&Approval::Auto).unwrap();
    let author = Author { id: id.to_owned(), ..author() };
    let now = crate::apply::Clock::now(world);
    let mut journal = Journal::begin(own.clone(), approved, author, now).unwrap();
    let above = (&Left::default(), Some(&back.known));
    let ended = super::run_above(&mut journal, world, super::PATIENCE, above).map_err(|stops| stops[0].clone());
    *world.clock.borrow_mut() += 100;
    (own, ended)
}

pub fn back_from(world: &Sim, disk: &Disk) -> Result<Rollback, RollbackError> {
    rollback(world, world, 20, &history(disk), |_| true)
}

fn refused(back: Result<Rollback, RollbackError>, context: &str) -> String {
    match back {
        Err(RollbackError::Drifted { drifted, .. }) => {
            drifted.iter().map(|kept| format!("{}\n", kept.detail)).collect()
        }
        other => panic!("{context}: {other:?}"),
    }
}

pub fn applied(name: &str) -> (Sim, Disk) {
    PARALLELISM.set(1);
    let scene = scenes::scene(name);
    let (world, disk) = (sim(&scene), Disk::default());
    apply(scene.proposal(), &world, &disk).unwrap();
    *world.clock.borrow_mut() += 100;
    (world, disk)
}

/// An apply that stopped at its n-th write, some time ago.
pub fn stopped(scene: &Scene, writes: usize) -> (Sim, Disk) {
    PARALLELISM.set(1);
    let (world, disk) = (sim(scene), Disk::default());
    stop_at(&world, writes);
    apply(scene.proposal(), &world, &disk).unwrap_err();
    world.faults.borrow_mut().clear();
    *world.clock.borrow_mut() += 100;
    (world, disk)
}

/// Stops a run at its n-th write from now.
pub fn stop_at(world: &Sim, writes: usize) {
    let at = world.calls.borrow().len() + writes;
    *world.faults.borrow_mut() = (0..=at).map(|own| (own == at).then_some(Fault::Refused("AccessDenied"))).collect();
}

#[test]
fn who_has_lost_the_original_gets_no_copy_neither_at_once_nor_later() {
    PARALLELISM.set(1);
    for (name, _) in BOTH {
        let own = scenes::scene(name);
        let (world, disk) = (sim(&own), Disk::default());
        // While the copy is created.
        *world.before_step.borrow_mut() = Some((1, take_the_original));
        let stop = apply(own.proposal(), &world, &disk).unwrap_err();
        assert!(
            matches!(&stop, Stop::Drifted { step: 1, detail } if detail.contains("does not have policy/")),
            "{stop:?}"
        );
        assert!(!has(&world, COPY), "{name}");
        *world.clock.borrow_mut() += 100;
        // Going on looks before it writes, and writes no more.
        let left = Left::read(&world, &world, 20, &history(&disk)).unwrap();
        let broken = left.broken(&world, &history(&disk)).unwrap();
        assert_eq!(broken[0].address, "role/ci/attached/Copy", "{name}: {broken:?}");
        let stop = resume(own.proposal(), &world, &disk).unwrap_err();
        assert!(matches!(stop, Stop::Drifted { step: 1, .. }), "{name}: {stop:?}");
        assert!(!has(&world, COPY), "{name}");
        // What was created is taken back, and nobody has got anything.
        begin(back_from(&world, &disk).unwrap(), &world, "r").1.unwrap();
        assert!(world.world.borrow().attached["role/ci"].is_empty(), "{name}");
        assert!(!world.world.borrow().policies.contains_key(COPY), "{name}");
    }
}

#[test]
fn nobody_is_told_to_give_something_to_somebody_else_or_what_is_gone() {
    PARALLELISM.set(1);
    let gone = |world: &mut World| drop(world.policies.remove(SHARED));
    let again = |world: &mut World| drop(world.entities.insert("role/ci".to_owned(), "ID-again".to_owned()));
    let acts: [(&str, Hand, &str); 2] = [
        ("replace", again, "role/ci was deleted and made again since, as ID-again, and is somebody else"),
        ("split", gone, "the policy is gone, and nothing gives that back"),
    ];
    for (name, act, expect) in acts {
        let own = scenes::scene(name);
        let (world, disk) = (sim(&own), Disk::default());
        *world.before_step.borrow_mut() = Some((1, take_the_original));
        apply(own.proposal(), &world, &disk).unwrap_err();
        *world.clock.borrow_mut() += 100;
        act(&mut world.world.borrow_mut());
        let left = Left::read(&world, &world, 20, &history(&disk)).unwrap();
        let broken = left.broken(&world, &history(&disk)).unwrap();
        let told: Vec<&str> = broken.iter().map(|kept| kept.detail.as_str()).collect();
        assert!(told.iter().any(|told| told.contains(expect)), "{name}: {told:?}");
        assert!(!told.concat().contains("aws iam"), "{name}: {told:?}");
    }
}

#[test]
fn room_is_made_for_a_version_that_is_to_come_back() {
    let world = sim(&scenes::scene("split"));
    let policy = SHARED.parse().unwrap();
    let mends = || mend::says_again(&world, &policy, Some(fingerprint("{}"))).unwrap();
    assert!(mends().starts_with("`aws iam create-policy-version --policy-arn"), "{}", mends());
    let fill = |world: &mut World| {
        let policy = world.policies.get_mut(SHARED).unwrap();
        for number in 2..=5 {
            policy.versions.insert(format!("v{number}"), format!("{{\"Sid\":{number}}}"));
        }
        policy.default = "v1".to_owned();
    };
    fill(&mut world.world.borrow_mut());
    let room = format!(
        "`aws iam delete-policy-version --policy-arn {SHARED} --version-id v2` makes room, and then `aws iam create"
    );
    assert!(mends().starts_with(&room), "{}", mends());
}

#[test]
fn who_has_lost_the_original_keeps_the_copy_of_an_apply_that_ended() {
    for (name, original) in BOTH {
        let (world, disk) = applied(name);
        if name == "split" {
            // The replaced one is not there: there is nothing to lose.
            take_the_original(&mut world.world.borrow_mut());
            let told = refused(back_from(&world, &disk), name);
            assert!(told.contains("role/ci does not have policy/shared, by somebody else's doing"), "{told}");
            let mends = format!("`aws iam attach-role-policy --role-name ci --policy-arn {SHARED}` gives it back");
            assert!(told.contains(&mends), "{told}");
            assert!(told.contains("left with neither"), "{told}");
            // Who has neither is left as they are, and the rest goes back.
            take_the_copy(&mut world.world.borrow_mut());
            begin(back_from(&world, &disk).unwrap(), &world, "r").1.unwrap();
            assert!(world.world.borrow().attached["role/ci"].is_empty());
            assert_eq!(world.world.borrow().policies[SHARED].default, "v2");
            continue;
        }
        // Taken back, then taken from: what took it back is not taken back any more.
        let (own, ended) = begin(back_from(&world, &disk).unwrap(), &world, "r");
        ended.unwrap();
        assert!(has(&world, original));
        take_the_original(&mut world.world.borrow_mut());
        let told = refused(back_from(&world, &own), name);
        assert!(told.contains("role/ci"), "{told}");
    }
}

#[test]
fn the_way_back_from_an_unfinished_apply_gives_no_copy_to_whom_somebody_took_the_original_from() {
    PARALLELISM.set(1);
    for (name, _) in BOTH {
        let own = scenes::scene(name);
        let (world, disk) = stopped(&own, 2);
        let (back, ended) = begin(back_from(&world, &disk).unwrap(), &world, "r");
        ended.unwrap();
        assert!(!has(&world, COPY), "{name}");
        take_the_original(&mut world.world.borrow_mut());
        let told = refused(back_from(&world, &back), name);
        assert!(told.contains("does not have policy/") && told.contains("more than they have"), "{name}: {told}");
    }
}

/// Stops a rollback after some writes, lets somebody act, and says what going on finds before it writes, and does.
fn resumed(name: &str, before: Option<Hand>, writes: usize, act: Hand) -> (Sim, Vec<String>, Stop) {
    let (world, disk) = applied(name);
    if let Some(before) = before {
        before(&mut world.world.borrow_mut());
    }
    stop_at(&world, writes);
    let back = back_from(&world, &disk).unwrap();
    let proposal = back.proposal.clone();
    let (own, ended) = begin(back, &world, "r");
    ended.unwrap_err();
    world.faults.borrow_mut().clear();
    act(&mut world.world.borrow_mut());
    let left = Left::read(&world, &world, 20, &history(&own)).unwrap();
    let broken = left.broken(&world, &history(&own)).unwrap();
    let stop = resume(proposal, &world, &own).unwrap_err();
    (world, broken.into_iter().map(|kept| kept.detail).collect(), stop)
}

#[test]
fn an_open_rollback_is_not_gone_on_with_for_whom_somebody_has_taken_something_from() {
    // The copy is gone before the original came back.
    let (world, broken, stop) = resumed("replace", None, 0, take_the_copy);
    assert!(broken[0].contains("more than they have") && matches!(stop, Stop::Drifted { .. }), "{broken:?}, {stop:?}");
    assert!(!has(&world, scenes::OF_AWS));
    // The original had come back by somebody, and was kept; it is gone before the copy goes.
    let (world, broken, stop) = resumed("replace", Some(give_the_original), 0, take_the_original);
    assert!(broken[0].contains("left with neither") && matches!(stop, Stop::Drifted { .. }), "{broken:?}, {stop:?}");
    assert!(has(&world, COPY));
    // What was split is gone before the part goes, and the part before what was split is whole again.
    let (world, broken, stop) = resumed("split", None, 1, take_the_original);
    assert!(broken[0].contains("left with neither") && matches!(stop, Stop::Drifted { .. }), "{broken:?}, {stop:?}");
    assert!(has(&world, COPY));
    let (world, broken, stop) = resumed("split", None, 0, take_the_copy);
    assert!(broken[0].contains("stands beside") && matches!(stop, Stop::Drifted { .. }), "{broken:?}, {stop:?}");
    assert_eq!(world.world.borrow().policies[SHARED].default, "v3");
}

#[test]
fn what_was_as_before_already_is_not_given_by_the_next_rollback() {
    let (world, disk) = applied("replace");
    give_the_original(&mut world.world.borrow_mut());
    let all = |_: &Step| true;
    let back = rollback(&world, &world, 20, &history(&disk), all).unwrap();
    let (own, ended) = begin(back, &world, "r");
    ended.unwrap();
    // As if other changes were left of it.
    let mut above = history(&disk);
    let mut own = history(&own);
    own.begin = std::sync::Arc::new(crate::apply::journal::Begin {
        origin: match own.begin().origin.clone() {
            crate::apply::Origin::Rollback { journal, head, kept, left, .. } => {
                assert_eq!(kept, [2]);
                crate::apply::Origin::Rollback { journal, head, whole: false, kept, left }
            }
            other => panic!("{other:?}"),
        },
        ..own.begin().clone()
    });
    let record = above.note(&own, true).unwrap();
    close(disk.clone(), &mut above, record, UnixTime(3_000_000)).unwrap();
    assert_eq!(history(&disk).taken_back(), 3);
}

#[test]
fn what_is_in_doubt_below_is_in_doubt_above_and_settled_by_looking() {
    for scene in scenes::all() {
        for writes in 0.. {
            let (world, disk) = (sim(&scene), Disk::default());
            PARALLELISM.set(1);
            apply(scene.proposal(), &world, &disk).unwrap();
            *world.clock.borrow_mut() += 100;
            let back = back_from(&world, &disk).unwrap();
            if writes >= back.proposal.steps().len() {
                break;
            }
            for is_made in [false, true] {
                let there = Sim { world: Shared::new(world.world.borrow().clone()), ..sim(&scene) };
                *there.clock.borrow_mut() = *world.clock.borrow();
                let (own, journal) =
                    (Disk::default(), Disk { written: Shared::new(disk.written.borrow().clone()), ..Disk::default() });
                stop_at(&there, writes + usize::from(is_made));
                let approved = back.proposal.clone().approve(&Approval::Auto).unwrap();
                let author = Author { id: "r".to_owned(), ..author() };
                let mut run = Journal::begin(own.clone(), approved, author, UnixTime(2_000_000)).unwrap();
                let _ = super::run(&mut run, &there, super::PATIENCE);
                there.faults.borrow_mut().clear();
                // What the journal knows ends with the intent of that write.
                let text = own.written.borrow().clone();
                let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
                let intent = format!("\"intent\",\"step\":{writes},");
                let at = lines.iter().position(|line| String::from_utf8_lossy(line).contains(&intent)).unwrap();
                *own.written.borrow_mut() = lines[..=at].concat();
                let mut left = history(&own);
                assert_eq!(left.in_doubt(), 1);
                close(
                    own.clone(),
                    &mut left,
                    Record::Abandoned { reason: "it is left".to_owned() },
                    UnixTime(3_000_000),
                )
                .unwrap();
                let mut above = history(&journal);
                let record = above.note(&left, true).unwrap();
                close(journal.clone(), &mut above, record, UnixTime(3_000_000)).unwrap();
                let above = history(&journal);
                assert!(above.in_doubt() > 0, "{}, {writes}: {above:?}", scene.name);
                *there.clock.borrow_mut() += 100;
                begin(back_from(&there, &journal).unwrap(), &there, "s").1.unwrap();
                let context = format!("{}, {writes}, {is_made}", scene.name);
                assert_eq!(there.world.borrow().essence(), scene.world.essence(), "{context}");
            }
        }
    }
}

#[test]
fn there_must_be_room_for_what_is_attached_again() {
    let (world, disk) = applied("detach");
    for at in 0..4 {
        world.world.borrow_mut().attached.get_mut("role/ci").unwrap().push(format!("arn:aws:iam::aws:policy/P{at}"));
    }
    let told = refused(back_from(&world, &disk), "detach");
    assert!(told.contains("role/ci has 4 managed policies by then, and may have 4"), "{told}");
}

/// Somebody else has it say less, in a version of their own.
fn narrow_the_original(world: &mut World) {
    let policy = world.policies.get_mut(SHARED).unwrap();
    policy.versions.insert("v8".to_owned(), scenes::document("s3:ListAllMyBuckets"));
    "v8".clone_into(&mut policy.default);
}

#[test]
fn with_less_of_a_policy_nobody_loses_its_parts_and_nobody_gets_them() {
    PARALLELISM.set(1);
    let own = scenes::scene("split");
    // While the part is created: it is given to nobody.
    let (world, disk) = (sim(&own), Disk::default());
    *world.before_step.borrow_mut() = Some((1, narrow_the_original));
    let stop = apply(own.proposal(), &world, &disk).unwrap_err();
    let says = "does not say what it said when this was reviewed";
    assert!(matches!(&stop, Stop::Drifted { step: 1, detail } if detail.contains(says)), "{stop:?}");
    assert!(!has(&world, COPY));
    // Once it is attached: it is not taken away, neither by a new way back nor by one that is under way.
    for is_under_way in [false, true] {
        let (world, disk) = stopped(&own, 2);
        assert!(has(&world, COPY));
        if is_under_way {
            let back = back_from(&world, &disk).unwrap();
            narrow_the_original(&mut world.world.borrow_mut());
            let stop = begin(back, &world, "r").1.unwrap_err();
            assert!(matches!(&stop, Stop::Drifted { detail, .. } if detail.contains(says)), "{stop:?}");
        } else {
            narrow_the_original(&mut world.world.borrow_mut());
            let detail = refused(back_from(&world, &disk), "a part is attached");
            assert!(detail.contains(says) && detail.contains("left with neither"), "{detail}");
            let call = format!("`aws iam set-default-policy-version --policy-arn {SHARED} --version-id v2`");
            assert!(detail.contains(&format!("{call} makes it say that again")), "{detail}");
        }
        assert!(has(&world, COPY), "{is_under_way}");
    }
}

#[test]
fn a_way_back_that_was_overtaken_takes_no_part_away() {
    PARALLELISM.set(1);
    let own = scenes::scene("split");
    let (world, disk) = stopped(&own, 2);
    // Back, and there again; then the first goes on to its end, and the policy is narrow.
    let (back, _) = begin(back_from(&world, &disk).unwrap(), &world, "r1");
    let (again, ended) = begin(back_from(&world, &back).unwrap(), &world, "r2");
    ended.unwrap();
    narrow_the_original(&mut world.world.borrow_mut());
    let detail = refused(back_from(&world, &again), "it was overtaken");
    assert!(detail.contains("left with neither"), "{detail}");
    assert!(has(&world, COPY));
}

/// Somebody takes the copy from everybody, and deletes it.
fn delete_the_copy(world: &mut World) {
    take_the_copy(world);
    world.policies.remove(COPY);
}

#[test]
fn a_copy_that_somebody_deleted_needs_no_way_back_and_cannot_be_attached() {
    PARALLELISM.set(1);
    let own = scenes::scene("replace");
    // It is created, and attached; what it is to take the place of is still there.
    let (world, disk) = stopped(&own, 2);
    assert!(has(&world, COPY) && has(&world, scenes::OF_AWS));
    delete_the_copy(&mut world.world.borrow_mut());
    let back = back_from(&world, &disk).unwrap();
    assert!(back.proposal.steps().is_empty() && back.is_whole, "{back:?}");
    assert_eq!(back.kept.len(), 2, "{back:?}");
    assert!(back.kept.iter().all(|kept| kept.detail.ends_with("was not done, or is as before again")), "{back:?}");
    // Somebody else of its name is not it.
    let other = Policy { unique_id: "ANPAOTHER".to_owned(), ..Default::default() };
    world.world.borrow_mut().policies.insert(COPY.to_owned(), other);
    assert!(refused(back_from(&world, &disk), "made again").contains("deleted and made again"));
    // Who has only what it took the place of would get more.
    let (world, disk) = applied("replace");
    delete_the_copy(&mut world.world.borrow_mut());
    assert!(refused(back_from(&world, &disk), "whole").contains("has lost it since"));
    // On the way on it has to be attached, and cannot be.
    let (world, disk) = stopped(&own, 1);
    delete_the_copy(&mut world.world.borrow_mut());
    assert!(matches!(resume(own.proposal(), &world, &disk), Err(Stop::Drifted { .. })));
    assert!(has(&world, scenes::OF_AWS));
}
