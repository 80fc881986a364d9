//! What a rollback refuses before its first write, and what it does not mind.

use super::scenes::{self, Scene, document};
use super::sim::{Disk, Fault, Sim, World};
use super::{apply, go_back, history, sim};
use crate::apply::approval::Approval;
use crate::apply::journal::{Author, History, Journal, State, chain, close, parse};
use crate::apply::{Bearing, Left, Origin, RollbackError, bearing, rollback};
use secateur_analyzer::time::UnixTime;

const SHARED: &str = "arn:aws:iam::111122223333:policy/shared";

/// Applies a scene, lets somebody else act, and plans the way back.
fn after(name: &str, act: fn(&mut World)) -> (Sim, Disk, Result<usize, RollbackError>) {
    let scene = scenes::scene(name);
    let (world, disk) = (sim(&scene), Disk::default());
    apply(scene.proposal(), &world, &disk).unwrap();
    act(&mut world.world.borrow_mut());
    *world.clock.borrow_mut() += 100;
    let back = rollback(&world, &world, 20, &history(&disk), |_| true);
    (world, disk, back.map(|back| back.proposal.steps().len()))
}

fn details(back: &Result<usize, RollbackError>) -> String {
    match back {
        Err(RollbackError::Drifted { drifted, .. }) => {
            drifted.iter().map(|kept| format!("{}\n", kept.detail)).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// Writes a journal anew, with a chain of its own.
fn forged(disk: &Disk, from: &str, to: &str) -> History {
    let text = String::from_utf8(disk.written.borrow().clone()).unwrap();
    let (mut prev, mut bytes) = (crate::apply::journal::Head::default().0, Vec::new());
    for mut entry in parse(text.as_bytes()).unwrap().entries {
        let json = serde_json::to_string(&entry).unwrap().replace(from, to);
        entry = serde_json::from_str(&json).unwrap();
        entry.prev = prev;
        let (line, head) = chain::line(&entry).unwrap();
        prev = head.0;
        bytes.extend(line);
    }
    History::read(&bytes).unwrap()
}

#[test]
fn a_policy_that_was_edited_since_is_not_attached_again() {
    let (_, _, back) = after("detach", |world| {
        let own = world.policies.get_mut(SHARED).unwrap();
        own.versions.insert("v2".to_owned(), document("*"));
        own.default = "v2".to_owned();
    });
    assert!(details(&back).contains("says something else now"), "{back:?}");
    let (_, _, back) = after("detach", |world| {
        world.policies.remove(SHARED);
    });
    assert!(details(&back).contains("gone"), "{back:?}");
    let (world, disk, back) = after("detach", |_| {});
    assert_eq!(back.unwrap(), 1);
    go_back(&world, &disk);
    assert_eq!(world.world.borrow().essence(), scenes::scene("detach").world.essence());
}

#[test]
fn an_edit_between_a_rollback_and_its_write_stops_it() {
    let (world, disk, _) = after("detach", |_| {});
    let back = rollback(&world, &world, 20, &history(&disk), |_| true).unwrap();
    {
        let mut world = world.world.borrow_mut();
        let own = world.policies.get_mut(SHARED).unwrap();
        own.versions.insert("v2".to_owned(), document("*"));
        own.default = "v2".to_owned();
    }
    let stop = apply(back.proposal, &world, &Disk::default()).unwrap_err();
    assert!(matches!(stop, super::Stop::Drifted { .. }), "{stop:?}");
    assert!(world.world.borrow().attached["role/ci"].is_empty());
}

#[test]
fn a_forged_document_before_is_not_written() {
    let mut scene = scenes::scene("put-inline");
    for change in &mut scene.changes {
        change.expects.document = change.before.as_deref().map(secateur_analyzer::document::fingerprint);
    }
    let (world, disk) = (sim(&scene), Disk::default());
    apply(scene.proposal(), &world, &disk).unwrap();
    let (from, to) = (document("s3:*"), document("*"));
    let inside = |text: &str| serde_json::to_string(text).unwrap();
    let forged = forged(&disk, &inside(&from), &inside(&to));
    let back = rollback(&world, &world, 0, &forged, |_| true);
    assert!(matches!(back, Err(RollbackError::Edited(_))), "{back:?}");
}

#[test]
fn versions_that_others_deleted_or_added_and_that_are_not_in_force_are_theirs() {
    for act in [
        (|world| drop(world.policies.get_mut(SHARED).unwrap().versions.remove("v1"))) as fn(&mut World),
        |world| {
            world.policies.get_mut(SHARED).unwrap().versions.insert("v9".to_owned(), document("s3:Theirs"));
        },
        |world| drop(world.policies.get_mut(SHARED).unwrap().versions.remove("v2")),
    ] {
        let (world, disk, back) = after("update", act);
        back.unwrap();
        go_back(&world, &disk);
        let world = world.world.borrow();
        let own = &world.policies[SHARED];
        assert_eq!(own.versions[&own.default], document("s3:V2"));
        assert!(!own.versions.values().any(|text| *text == document("s3:Less")), "{own:?}");
    }
}

#[test]
fn what_cannot_be_taken_back_is_refused_before_the_first_write() {
    let (_, _, back) = after("update-with-evict", |world| {
        let own = world.policies.get_mut(SHARED).unwrap();
        own.versions.remove("v2");
        own.versions.insert("v8".to_owned(), document("s3:Theirs"));
    });
    // One goes, one comes: it fits.
    back.unwrap();
    let (_, _, back) = after("update", |world| {
        let own = world.policies.get_mut(SHARED).unwrap();
        own.versions.remove("v2");
        for id in ["v7", "v8", "v9"] {
            own.versions.insert(id.to_owned(), document("s3:Theirs"));
        }
    });
    assert!(details(&back).contains("slots"), "{back:?}");
    let (_, _, back) = after("replace", |world| {
        let copy = world.policies.get_mut("arn:aws:iam::111122223333:policy/Copy").unwrap();
        copy.versions.insert("v2".to_owned(), document("s3:Theirs"));
    });
    assert!(details(&back).contains("further versions"), "{back:?}");
}

/// Goes back for some steps, with a journal of its own, and writes into the journals above what became of theirs.
fn back_for(world: &Sim, disks: &mut Vec<(String, Disk)>, of: usize, wants: fn(&super::super::Step) -> bool) {
    let of = history(&disks[of].1);
    let back = rollback(world, world, 20, &of, wants).unwrap();
    let (own, id) = (Disk::default(), format!("back-{}", disks.len()));
    let approved = back.proposal.approve(&Approval::Auto).unwrap();
    let author = Author { id: id.clone(), ..super::author() };
    let mut journal = Journal::begin(own.clone(), approved, author, UnixTime(2_000_000)).unwrap();
    super::run(&mut journal, world, super::PATIENCE).unwrap();
    disks.push((id, own));
    note(disks, disks.len() - 1);
    for at in 1..disks.len() {
        assert_borne(disks, at);
    }
}

/// Nobody has edited anything, whatever came since.
fn assert_borne(disks: &[(String, Disk)], at: usize) {
    let disk = |id: &str| &disks.iter().find(|(own, _)| own == id).unwrap().1;
    let mut all = vec![history(&disks[at].1)];
    while let Origin::Rollback { journal, head, .. } = &all.last().unwrap().begin().origin {
        let below = History::read_to(&disk(journal).written.borrow(), Some(*head)).unwrap();
        all.push(below);
    }
    match bearing(&all[0], None, &all[1..]) {
        Ok(Bearing::Unknown(why)) if at + 1 < disks.len() || why.contains("the plan that it was made from") => {}
        other => panic!("{}: {other:?}", disks[at].0),
    }
}

/// As the command does.
fn note(disks: &[(String, Disk)], at: usize) {
    let own = history(&disks[at].1);
    let mut origin = own.begin().origin.clone();
    let mut is_back = true;
    while let Origin::Rollback { journal, .. } = origin {
        let (_, disk) = disks.iter().find(|(id, _)| *id == journal).unwrap();
        let mut above = history(disk);
        if let Some(record) = above.note(&own, is_back) {
            close(disk.clone(), &mut above, record, UnixTime(3_000_000)).unwrap();
        }
        assert_eq!(history(disk).note(&own, is_back), None, "it is not said twice");
        origin = above.begin().origin.clone();
        is_back = !is_back;
    }
}

#[test]
fn what_a_rollback_took_back_in_part_is_not_gone_on_with_as_done() {
    let scene = scenes::scene("several-inline");
    let (world, disk) = (sim(&scene), Disk::default());
    *world.faults.borrow_mut() = vec![None, None, Some(Fault::Refused("AccessDenied"))];
    apply(scene.proposal(), &world, &disk).unwrap_err();
    *world.clock.borrow_mut() += 100;
    let first = history(&disk).steps()[0].address.clone();
    assert_eq!(first, "role/ci/inline/b");
    let mut disks = vec![("j".to_owned(), disk)];
    back_for(&world, &mut disks, 0, |step| step.address == "role/ci/inline/b");
    let left = history(&disks[0].1);
    assert_eq!((left.state(), left.taken_back()), (&State::Open, 1));
    assert!(left.is_taken_back(0));
    // The rest of what was done: what was left out of the first is still open.
    back_for(&world, &mut disks, 0, |step| step.address == "role/ci/inline/c");
    let left = history(&disks[0].1);
    assert_eq!((left.state(), left.taken_back()), (&State::Open, 2), "a target was named: it is not closed");
    assert_eq!(world.world.borrow().essence(), scene.world.essence());
    // A rollback of the rollback does it again: then the journal may be gone on with.
    back_for(&world, &mut disks, 1, |_| true);
    assert_eq!(history(&disks[0].1).taken_back(), 1);
    assert!(!history(&disks[0].1).is_taken_back(0));
}

#[test]
fn the_rollback_of_a_rollback_opens_the_state_of_what_it_took_back_again() {
    for scene in scenes::all() {
        let (world, disk) = (sim(&scene), Disk::default());
        apply(scene.proposal(), &world, &disk).unwrap();
        let end = world.world.borrow().essence();
        *world.clock.borrow_mut() += 100;
        let mut disks = vec![("j".to_owned(), disk)];
        let state = |disks: &[(String, Disk)], at: usize| history(&disks[at].1).state().clone();
        back_for(&world, &mut disks, 0, |_| true);
        assert_eq!(state(&disks, 0), State::RolledBack("back-1".to_owned()), "{}", scene.name);
        *world.clock.borrow_mut() += 100;
        back_for(&world, &mut disks, 1, |_| true);
        assert_eq!(world.world.borrow().essence(), end, "{}", scene.name);
        assert_eq!((state(&disks, 0), state(&disks, 1)), (State::Done, State::RolledBack("back-2".to_owned())));
        assert_eq!(history(&disks[0].1).taken_back(), 0, "{}", scene.name);
        *world.clock.borrow_mut() += 100;
        // Taken back once more by the last, or by the first: both lead to the start.
        back_for(&world, &mut disks, 0, |_| true);
        assert_eq!(world.world.borrow().essence(), scene.world.essence(), "{}", scene.name);
        assert_eq!(state(&disks, 0), State::RolledBack("back-3".to_owned()));
    }
}

#[test]
fn after_a_rollback_that_stopped_was_taken_back_the_first_journal_is_what_it_was() {
    for scene in scenes::all() {
        for writes in 1.. {
            let (world, disk) = (sim(&scene), Disk::default());
            apply(scene.proposal(), &world, &disk).unwrap();
            let end = world.world.borrow().essence();
            *world.clock.borrow_mut() += 100;
            let mut disks = vec![("j".to_owned(), disk)];
            let mut faults = vec![None; writes];
            faults.push(Some(Fault::Refused("AccessDenied")));
            *world.faults.borrow_mut() = faults;
            if !begin_back(&world, &mut disks) {
                break;
            }
            world.faults.borrow_mut().clear();
            *world.clock.borrow_mut() += 100;
            back_for(&world, &mut disks, 1, |_| true);
            let context = format!("{}, {writes}", scene.name);
            assert_eq!(world.world.borrow().essence(), end, "{context}");
            assert_eq!(
                (history(&disks[0].1).state(), history(&disks[0].1).taken_back()),
                (&State::Done, 0),
                "{context}"
            );
            let left = Left::read(&world, &world, 20, &history(&disks[0].1)).unwrap();
            assert_eq!(left.changed, Default::default(), "nobody else was there: {context}");
            *world.clock.borrow_mut() += 100;
            back_for(&world, &mut disks, 0, |_| true);
            assert_eq!(world.world.borrow().essence(), scene.world.essence(), "{context}");
        }
    }
}

#[test]
fn what_somebody_did_again_between_two_rollbacks_is_theirs_for_all_journals() {
    let scene = scenes::scene("several-inline");
    let (world, disk) = (sim(&scene), Disk::default());
    apply(scene.proposal(), &world, &disk).unwrap();
    let end = world.world.borrow().clone();
    *world.clock.borrow_mut() += 100;
    let mut disks = vec![("j".to_owned(), disk)];
    back_for(&world, &mut disks, 0, |_| true);
    *world.clock.borrow_mut() += 100;
    // A colleague does one change again; the rollback of the rollback keeps that, and does the others.
    let theirs = ("role/ci".to_owned(), "c".to_owned());
    world.world.borrow_mut().inline.insert(theirs.clone(), end.inline[&theirs].clone());
    back_for(&world, &mut disks, 1, |_| true);
    assert_eq!(world.world.borrow().essence(), end.essence());
    let first = history(&disks[0].1);
    assert_eq!((first.state(), first.taken_back()), (&State::Done, 1), "it did not do that one again");
    *world.clock.borrow_mut() += 100;
    back_for(&world, &mut disks, 0, |_| true);
    let now = world.world.borrow();
    assert_eq!(now.inline.get(&theirs), end.inline.get(&theirs), "what a colleague did stays");
    let others = |world: &World| {
        world.inline.iter().filter(|(at, _)| **at != theirs).map(|own| own.1.clone()).collect::<Vec<_>>()
    };
    assert_eq!(others(&now), others(&scene.world));
}

/// Begins to take the first journal back, and says whether that stopped.
fn begin_back(world: &Sim, disks: &mut Vec<(String, Disk)>) -> bool {
    let back = rollback(world, world, 20, &history(&disks[0].1), |_| true).unwrap();
    let own = Disk::default();
    let approved = back.proposal.approve(&Approval::Auto).unwrap();
    let author = Author { id: "back-1".to_owned(), ..super::author() };
    let mut journal = Journal::begin(own.clone(), approved, author, UnixTime(2_000_000)).unwrap();
    let stopped = super::run(&mut journal, world, super::PATIENCE).is_err();
    disks.push(("back-1".to_owned(), own));
    stopped
}

#[test]
fn a_rollback_names_who_has_come_to_hold_the_policy_since() {
    let scene = scenes::scene("update");
    let (world, disk) = (sim(&scene), Disk::default());
    apply(scene.proposal(), &world, &disk).unwrap();
    world.world.borrow_mut().attached.insert("user/bob".to_owned(), vec![SHARED.to_owned()]);
    *world.clock.borrow_mut() += 100;
    let back = rollback(&world, &world, 20, &history(&disk), |_| true).unwrap();
    let details: Vec<&str> = back.widened.iter().map(|kept| kept.detail.as_str()).collect();
    assert_eq!(details, ["user/bob has got it since, and gets this too"]);
}

#[test]
fn the_digest_of_a_rollback_covers_who_gets_something_and_whoever_comes_later_stops_it() {
    let (world, disk, _) = after("update", |_| {});
    let plan = || rollback(&world, &world, 20, &history(&disk), |_| true).unwrap();
    let before = plan().proposal;
    world.world.borrow_mut().attached.insert("user/bob".to_owned(), vec![SHARED.to_owned()]);
    let seen = plan();
    assert_ne!(seen.proposal.digest(), before.digest());
    // Whoever approved of the one without bob does not give it to bob.
    let stop = apply(before, &world, &Disk::default()).unwrap_err();
    assert!(matches!(&stop, super::Stop::Drifted { detail, .. } if detail.contains("user/bob")), "{stop:?}");
    let digest = seen.proposal.digest();
    world.world.borrow_mut().attached.insert("group/ops".to_owned(), vec![SHARED.to_owned()]);
    let stop = apply(seen.proposal, &world, &Disk::default()).unwrap_err();
    assert!(matches!(&stop, super::Stop::Drifted { detail, .. } if detail.contains("group/ops")), "{stop:?}");
    let with_group = plan().proposal;
    assert_ne!(with_group.digest(), digest);
    let joined = |world: &mut World| world.members.get_mut("ops").unwrap().push("bob".to_owned());
    joined(&mut world.world.borrow_mut());
    assert_ne!(plan().proposal.digest(), with_group.digest());
    let stop = apply(with_group, &world, &Disk::default()).unwrap_err();
    assert!(matches!(&stop, super::Stop::Drifted { detail, .. } if detail.contains("joined")), "{stop:?}");
    let own = Disk::default();
    apply(plan().proposal, &world, &own).unwrap();
    assert_eq!(world.world.borrow().policies[SHARED].default, "v2");
    // There and back again, with those who are there now.
    *world.clock.borrow_mut() += 100;
    go_back(&world, &own);
}

#[test]
fn what_somebody_took_away_is_not_given_back_by_what_it_had_taken_the_place_of() {
    const COPY: &str = "arn:aws:iam::111122223333:policy/Copy";
    let take = |world: &mut World, policy: &str| world.attached.get_mut("role/ci").unwrap().retain(|own| own != policy);
    for name in ["replace", "split"] {
        let (world, disk, whole) = after(name, |_| {});
        whole.unwrap();
        let there = world.world.borrow().clone();
        take(&mut world.world.borrow_mut(), COPY);
        let back = rollback(&world, &world, 20, &history(&disk), |_| true).map(|back| back.proposal.steps().len());
        assert!(details(&back).contains("role/ci has lost it since, by somebody else"), "{name}: {back:?}");
        // The way back from the way back is no other way to it.
        *world.world.borrow_mut() = there;
        let own = Disk::default();
        apply(rollback(&world, &world, 20, &history(&disk), |_| true).unwrap().proposal, &world, &own).unwrap();
        *world.clock.borrow_mut() += 100;
        if name == "replace" {
            take(&mut world.world.borrow_mut(), scenes::OF_AWS);
            let again = rollback(&world, &world, 20, &history(&own), |_| true).map(|back| back.proposal.steps().len());
            assert!(details(&again).contains("role/ci has lost it since, by somebody else"), "{again:?}");
        }
    }
}

#[test]
fn who_was_made_anew_under_the_same_name_is_somebody_else() {
    let (world, disk, _) = after("update", |world| {
        world.entities.insert("role/ci".to_owned(), "ID-of-another".to_owned());
    });
    let back = rollback(&world, &world, 20, &history(&disk), |_| true).unwrap();
    let details: Vec<&str> = back.widened.iter().map(|kept| kept.detail.as_str()).collect();
    assert_eq!(details, ["role/ci was made anew since, and gets this too"]);
}

/// A policy that a group has, too.
fn of_a_group() -> Scene {
    let mut scene = scenes::scene("update");
    scene.world.attached.insert("group/ops".to_owned(), vec![SHARED.to_owned()]);
    let own = |address: &str| crate::plan::ExpectedHolder {
        arn: format!("arn:aws:iam::111122223333:{address}").parse().unwrap(),
        unique_id: format!("ID-{address}"),
    };
    let expects = &mut scene.changes[0].expects;
    expects.attachments = vec!["group/ops".to_owned(), "role/ci".to_owned()];
    expects.memberships = vec!["user/ann in group/ops".to_owned()];
    expects.holders.push(own("user/ann"));
    expects.groups = vec![own("group/ops")];
    scene
}

#[test]
fn a_group_that_was_made_anew_under_the_same_name_is_another_one() {
    let make_anew = |world: &mut World| drop(world.entities.insert("group/ops".to_owned(), "ID-again".to_owned()));
    let scene = of_a_group();
    let (world, disk) = (sim(&scene), Disk::default());
    *world.before_step.borrow_mut() = Some((1, make_anew));
    let stop = apply(scene.proposal(), &world, &disk).unwrap_err();
    let is_told =
        |detail: &str| detail.contains("group/ops was deleted and made again: it is ID-again, and was ID-group/ops");
    assert!(matches!(&stop, super::Stop::Drifted { detail, .. } if is_told(detail)), "{stop:?}");

    let (world, disk) = (sim(&scene), Disk::default());
    apply(scene.proposal(), &world, &disk).unwrap();
    *world.clock.borrow_mut() += 100;
    let plan = || rollback(&world, &world, 20, &history(&disk), |_| true).unwrap();
    let before = plan();
    assert_eq!(before.widened, []);
    make_anew(&mut world.world.borrow_mut());
    let back = plan();
    let details: Vec<&str> = back.widened.iter().map(|kept| kept.detail.as_str()).collect();
    assert_eq!(details, ["group/ops was made anew since, and gets this too"]);
    assert_ne!(back.proposal.digest(), before.proposal.digest());
    // Whoever approved of the group that was there does not give it to the other.
    let stop = apply(before.proposal, &world, &Disk::default()).unwrap_err();
    assert!(matches!(&stop, super::Stop::Drifted { detail, .. } if is_told(detail)), "{stop:?}");
    apply(back.proposal, &world, &Disk::default()).unwrap();
    assert_eq!(world.world.borrow().essence(), scene.world.essence());
}

#[test]
fn a_policy_of_aws_that_aws_has_changed_since_is_named_and_comes_back_as_it_was_seen() {
    let mut scene = scenes::scene("replace");
    for change in scene.changes.iter_mut().filter(|change| change.target.arn.is_aws_managed_policy()) {
        change.expects.document = Some(secateur_analyzer::document::fingerprint(&document("*")));
    }
    let (world, disk) = (sim(&scene), Disk::default());
    apply(scene.proposal(), &world, &disk).unwrap();
    *world.clock.borrow_mut() += 100;
    let plan = || rollback(&world, &world, 20, &history(&disk), |_| true);
    let before = plan().unwrap();
    assert_eq!(before.widened, []);
    let says = |text: &str| {
        let mut world = world.world.borrow_mut();
        let own = world.policies.get_mut(scenes::OF_AWS).unwrap();
        own.versions.insert("v10".to_owned(), document(text));
        own.default = "v10".to_owned();
    };
    says("s3:New");
    let back = plan().unwrap();
    let details: Vec<&str> = back.widened.iter().map(|kept| kept.detail.as_str()).collect();
    assert_eq!(details, ["AWS has changed policy/ReadOnlyAccess since: it comes back with what it says now"]);
    // The digest covers what it says; whoever approved of what it said does not attach what it says now.
    assert_ne!(back.proposal.digest(), before.proposal.digest());
    let stop = apply(before.proposal, &world, &Disk::default()).unwrap_err();
    assert!(
        matches!(&stop, super::Stop::Drifted { detail, .. } if detail.contains("no longer what it was")),
        "{stop:?}"
    );
    apply(back.proposal, &world, &Disk::default()).unwrap();
    assert_eq!(world.world.borrow().attached["role/ci"], [scenes::OF_AWS]);

    let (world, disk) = (sim(&scene), Disk::default());
    apply(scene.proposal(), &world, &disk).unwrap();
    world.world.borrow_mut().policies.remove(scenes::OF_AWS);
    let back = rollback(&world, &world, 0, &history(&disk), |_| true).map(|back| back.proposal.steps().len());
    assert!(self::details(&back).contains("AWS has taken the policy away"), "{back:?}");
}
