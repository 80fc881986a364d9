//! What AWS has answered that it is done, and reads do not show: it may show later, and is nobody's work to have undone it.

use secateur_analyzer::time::UnixTime;

use super::exchange::{self, back_from, begin, stop_at};
use super::scenes::{self, Scene};
use super::sim::{Disk, Sim};
use super::{PARALLELISM, Patience, apply, apply_with, history, resume, sim};
use crate::apply::journal::{Record, State, close};
use crate::apply::{Kept, Left, RollbackError, Stop, rollback};

const HASTY: Patience = Patience { settle: 0, attempts: 6 };

/// An apply that stopped since its first write does not show for so many seconds: in the account as it is, and its journal.
fn stopped(scene: &Scene, lag: i64) -> (Sim, Disk) {
    PARALLELISM.set(1);
    let (world, disk) = (sim(scene), Disk::default());
    let stop = apply_with(scene.proposal(), &Sim { lag, ..world.clone() }, &disk, HASTY).unwrap_err();
    assert!(matches!(stop, Stop::NotSeen { step: 0 }), "{}: {stop:?}", scene.name);
    (world, disk)
}

/// Neither way goes on with it, and both say the same.
fn not_seen(world: &Sim, disk: &Disk, context: &str) -> (Vec<Kept>, UnixTime, Vec<String>) {
    let left = Left::read(world, world, 20, &history(disk)).unwrap();
    assert!(left.changed.is_empty(), "{context}: {left:?}");
    match back_from(world, disk) {
        Err(RollbackError::NotSeen { unseen, rest }) => {
            assert_eq!(left.unseen.steps, unseen.steps, "{context}");
            assert_eq!(left.unseen.until(), unseen.until(), "{context}");
            (unseen.steps.clone(), unseen.until().unwrap(), rest)
        }
        other => panic!("{context}: {other:?}"),
    }
}

#[test]
fn what_does_not_show_yet_is_not_kept_as_undone_and_is_taken_back_once_it_shows() {
    for scene in scenes::all() {
        let (world, disk) = stopped(&scene, 60);
        let (unseen, until, rest) = not_seen(&world, &disk, scene.name);
        assert_eq!(until, UnixTime(1_003_600), "{}", scene.name);
        assert!(rest.is_empty(), "{}: {rest:?}", scene.name);
        assert!(unseen[0].detail.contains("AWS answered at 1970-01-12T13:46:40Z"), "{}: {unseen:?}", scene.name);
        *world.clock.borrow_mut() += 100;
        let back = back_from(&world, &disk).unwrap();
        assert!(back.is_whole && !back.proposal.steps().is_empty(), "{}: {back:?}", scene.name);
        begin(back, &world, "r").1.unwrap();
        assert_eq!(world.world.borrow().essence(), scene.world.essence(), "{}", scene.name);
    }
}

#[test]
fn it_is_waited_for_from_now_on() {
    let scene = scenes::all().remove(0);
    let (world, disk) = stopped(&scene, 30);
    *world.clock.borrow_mut() += 15;
    assert!(!back_from(&world, &disk).unwrap().proposal.steps().is_empty());
}

#[test]
fn what_somebody_has_undone_counts_as_that_after_an_hour_and_at_once_where_it_was_seen() {
    for scene in scenes::all() {
        let undo = |world: &Sim| *world.world.borrow_mut() = scene.world.clone();
        let (world, disk) = stopped(&scene, 60);
        *world.clock.borrow_mut() += 100;
        undo(&world);
        // A version that was deleted comes back under another id: nobody undoes that.
        if matches!(scene.proposal().steps()[0].effect, crate::apply::Effect::DeleteVersion { .. }) {
            continue;
        }
        let until = not_seen(&world, &disk, scene.name).1;
        *world.clock.borrow_mut() = until.0;
        let back = back_from(&world, &disk).unwrap();
        assert!(back.proposal.steps().is_empty() && back.kept.len() == 1, "{}: {back:?}", scene.name);

        // It stopped for another reason.
        let (world, disk) = (sim(&scene), Disk::default());
        stop_at(&world, 1);
        let ended = apply(scene.proposal(), &world, &disk);
        undo(&world);
        let back = back_from(&world, &disk).unwrap();
        assert!(back.proposal.steps().is_empty(), "{}: {ended:?}, {back:?}", scene.name);
    }
}

#[test]
fn what_shows_of_other_groups_is_taken_back_without_it() {
    PARALLELISM.set(1);
    let scene = scenes::scene("several-inline");
    let (world, disk) = exchange::stopped(&scene, 1);
    let stop = resume(scene.proposal(), &Sim { lag: 300, ..world.clone() }, &disk).unwrap_err();
    assert!(matches!(stop, Stop::NotSeen { step: 1 }), "{stop:?}");
    let steps = scene.proposal().steps().to_vec();
    let (unseen, _, rest) = not_seen(&world, &disk, "both");
    assert_eq!((unseen[0].address.as_str(), rest), (steps[1].address.as_str(), vec![steps[0].address.clone()]));
    let back = rollback(&world, &world, 20, &history(&disk), |step| step.address == steps[0].address).unwrap();
    assert!(back.proposal.steps().len() == 1 && !back.is_whole, "{back:?}");
}

/// Leaves of a journal what was written up to its n-th record of that kind: whoever wrote it was killed then.
fn killed(disk: &Disk, kind: &str, number: usize) {
    let text = String::from_utf8(disk.written.borrow().clone()).unwrap();
    let kind = format!("\"record\":\"{kind}\"");
    let at = text.lines().enumerate().filter(|(_, line)| line.contains(&kind)).nth(number - 1).unwrap().0;
    *disk.written.borrow_mut() = text.split_inclusive('\n').take(at + 1).collect::<String>().into_bytes();
}

#[test]
fn whoever_is_killed_while_it_does_not_show_leaves_it_as_not_seen_too() {
    for scene in scenes::all() {
        let (world, disk) = stopped(&scene, 60);
        killed(&disk, "done", 1);
        let until = not_seen(&world, &disk, scene.name).1;
        assert_eq!(until, UnixTime(1_003_600), "{}", scene.name);
        *world.clock.borrow_mut() += 100;
        let back = back_from(&world, &disk).unwrap();
        begin(back, &world, "r").1.unwrap();
        assert_eq!(world.world.borrow().essence(), scene.world.essence(), "{}", scene.name);
    }
}

#[test]
fn where_the_reads_fail_that_would_show_it_it_is_not_seen_too() {
    for scene in scenes::all() {
        let (world, disk) = stopped(&scene, 60);
        killed(&disk, "done", 1);
        let stopped = |unseen| Record::Stopped {
            step: Some(0),
            reason: "access-denied".to_owned(),
            detail: String::new(),
            unseen: Some(unseen),
        };
        let (bytes, now) = (disk.written.borrow().clone(), UnixTime(1_000_000));
        close(disk.clone(), &mut history(&disk), stopped(vec![0]), now).unwrap();
        not_seen(&world, &disk, scene.name);
        // Had it been seen, it would not stand there.
        *disk.written.borrow_mut() = bytes;
        close(disk.clone(), &mut history(&disk), stopped(vec![]), now).unwrap();
        assert!(!history(&disk).is_unseen(0), "{}", scene.name);
    }
}

#[test]
fn what_more_was_begun_upon_was_seen() {
    PARALLELISM.set(1);
    let scene = scenes::scene("replace");
    let (world, disk) = (sim(&scene), Disk::default());
    apply(scene.proposal(), &world, &disk).unwrap();
    let whole = disk.written.borrow().clone();
    let steps = scene.proposal().steps().len();
    assert!(steps > 2);
    for begun in 1..=steps {
        *disk.written.borrow_mut() = whole.clone();
        killed(&disk, "intent", begun);
        assert!((0..steps).all(|at| !history(&disk).is_unseen(at)), "{begun}");
        *disk.written.borrow_mut() = whole.clone();
        killed(&disk, "done", begun);
        let unseen: Vec<usize> = (0..steps).filter(|at| history(&disk).is_unseen(*at)).collect();
        assert_eq!(unseen, [begun - 1]);
    }
    *disk.written.borrow_mut() = whole;
    assert!((0..steps).all(|at| !history(&disk).is_unseen(at)));
}

#[test]
fn what_was_never_seen_is_not_closed_as_not_done() {
    for scene in scenes::all() {
        if matches!(scene.proposal().steps()[0].effect, crate::apply::Effect::DeleteVersion { .. }) {
            continue;
        }
        let (world, disk) = stopped(&scene, 9_000);
        killed(&disk, "done", 1);
        *world.clock.borrow_mut() += 3_600;
        let lagging = Sim { lag: 9_000, ..world.clone() };
        let back = back_from(&lagging, &disk).unwrap();
        assert!(back.proposal.steps().is_empty(), "{}: {back:?}", scene.name);
        close(disk.clone(), &mut history(&disk), back.closing(), UnixTime(1_003_600)).unwrap();
        assert!(matches!(history(&disk).state(), State::Abandoned(_)), "{}", scene.name);
        *world.clock.borrow_mut() += 9_000;
        begin(back_from(&world, &disk).unwrap(), &world, "r").1.unwrap();
        assert_eq!(world.world.borrow().essence(), scene.world.essence(), "{}", scene.name);
    }
}

#[test]
fn going_on_waits_for_it_and_blames_nobody() {
    for scene in scenes::all() {
        let (world, disk) = stopped(&scene, 60);
        let (unseen, until, _) = not_seen(&world, &disk, scene.name);
        assert_eq!(unseen[0].address, scene.proposal().steps()[0].address, "{}", scene.name);
        // It does not show for an hour: whoever undid it, it is so.
        *world.clock.borrow_mut() += 100;
        let mut undone = sim(&scene);
        undone.clock.clone_from(&world.clock);
        let now = *world.clock.borrow();
        *undone.clock.borrow_mut() = until.0;
        let left = Left::read(&undone, &undone, 20, &history(&disk)).unwrap();
        assert!(left.unseen.steps.is_empty() && left.changed.contains_key(&0), "{}: {left:?}", scene.name);
        // It shows.
        *world.clock.borrow_mut() = now;
        let left = Left::read(&world, &world, 20, &history(&disk)).unwrap();
        assert!(left.unseen.steps.is_empty() && left.changed.is_empty(), "{}: {left:?}", scene.name);
        resume(scene.proposal(), &world, &disk).unwrap();
        assert_eq!(*history(&disk).state(), State::Done, "{}", scene.name);
    }
}

#[test]
fn what_was_done_again_and_does_not_show_is_not_taken_for_undone_where_it_was_noted() {
    for scene in scenes::all() {
        // Deleting a version is not done again: that comes back under another id.
        if matches!(scene.proposal().steps()[0].effect, crate::apply::Effect::DeleteVersion { .. }) {
            continue;
        }
        PARALLELISM.set(1);
        let (world, disk) = (sim(&scene), Disk::default());
        apply(scene.proposal(), &world, &disk).unwrap();
        *world.clock.borrow_mut() += 100;
        let (back, ended) = begin(back_from(&world, &disk).unwrap(), &world, "r");
        ended.unwrap();
        let noted = history(&disk).note(&history(&back), true).unwrap();
        close(disk.clone(), &mut history(&disk), noted, UnixTime(1_000_500)).unwrap();
        // It is done again, and killed behind its first answer, before that shows; then it is given up.
        let lagging = Sim { lag: 300, ..world.clone() };
        let again = back_from(&world, &back).unwrap();
        let (own, _) = begin(again, &lagging, "rr");
        killed(&own, "done", 1);
        let noted = history(&disk).note(&history(&own), false).unwrap();
        let now = crate::apply::Clock::now(&world);
        close(disk.clone(), &mut history(&disk), noted, now).unwrap();
        let unseen: Vec<usize> =
            (0..scene.proposal().steps().len()).filter(|at| history(&disk).is_unseen(*at)).collect();
        assert_eq!(unseen.len(), 1, "{}", scene.name);
        let told = back_from(&lagging, &disk);
        assert!(matches!(told, Err(RollbackError::NotSeen { .. })), "{}: {told:?}", scene.name);
    }
}

#[test]
fn what_was_done_and_is_as_before_is_not_closed_as_not_done() {
    let scene = scenes::scene("several-inline");
    let (world, disk) = exchange::stopped(&scene, 1);
    let end = world.world.borrow().clone();
    *world.world.borrow_mut() = scene.world.clone();
    let back = back_from(&world, &disk).unwrap();
    assert!(back.proposal.steps().is_empty(), "{back:?}");
    close(disk.clone(), &mut history(&disk), back.closing(), UnixTime(1_003_600)).unwrap();
    let State::Abandoned(reason) = history(&disk).state().clone() else { panic!("{:?}", history(&disk).state()) };
    assert!(reason.contains("nothing is left to take back of this: ") && !reason.contains("this stays"), "{reason}");
    // Whoever did it again is somebody to be taken back all the same.
    *world.world.borrow_mut() = end;
    begin(back_from(&world, &disk).unwrap(), &world, "r").1.unwrap();
    assert_eq!(world.world.borrow().essence(), scene.world.essence());
}
