//! What a journal takes, and what it does not.

use super::scenes;
use super::sim::Disk;
use super::{apply, author, history, sim};
use crate::apply::approval::Approval;
use crate::apply::journal::{History, HistoryError, Journal, JournalError, parse};
use secateur_analyzer::document::sha256_of;
use secateur_analyzer::time::UnixTime;

fn written() -> Vec<u8> {
    let scene = scenes::scene("replace");
    let disk = Disk::default();
    apply(scene.proposal(), &sim(&scene), &disk).unwrap();
    disk.written.take()
}

#[test]
fn every_changed_byte_is_seen() {
    let bytes = written();
    assert!(History::read(&bytes).is_ok());
    let end = bytes.len() - 1;
    for at in 0..end {
        let mut other = bytes.clone();
        other[at] ^= 1;
        assert!(
            matches!(History::read(&other), Err(HistoryError::Tampered(_))),
            "byte {at}: {}",
            String::from_utf8_lossy(&bytes[at.saturating_sub(20)..at + 1])
        );
    }
}

#[test]
fn records_that_were_taken_out_put_in_or_moved_are_seen() {
    let bytes = written();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for at in 0..lines.len() - 1 {
        let mut without = lines.clone();
        without.remove(at);
        assert!(parse(&without.concat()).is_err(), "without {at}");
        let mut twice = lines.clone();
        twice.insert(at, lines[at]);
        assert!(parse(&twice.concat()).is_err(), "{at} twice");
        let mut moved = lines.clone();
        moved.swap(at, at + 1);
        assert!(parse(&moved.concat()).is_err(), "{at} moved");
    }
    let head = parse(&bytes).unwrap().head;
    let shorter = lines[..lines.len() - 1].concat();
    assert_ne!(parse(&shorter).unwrap().head, head, "a pinned head sees that the last record is gone");
}

#[test]
fn what_was_approved_is_what_begins() {
    let scene = scenes::all().remove(0);
    let digest = scene.proposal().digest();
    assert!(scene.proposal().approve(&Approval::Digest(sha256_of(b"other"))).is_err());
    assert!(scene.proposal().approve(&Approval::Prompt(sha256_of(b"other"))).is_err());
    assert!(scene.proposal().approve(&Approval::Digest(digest)).is_ok());
}

#[test]
fn a_journal_goes_on_with_its_own_steps_only() {
    let scenes = scenes::all();
    let disk = Disk::default();
    let approved = |at: usize| scenes[at].proposal().approve(&Approval::Auto).unwrap();
    Journal::begin(disk.clone(), approved(0), author(), UnixTime(1)).unwrap();
    let resumed = Journal::resume(disk.clone(), history(&disk), approved(1), ("arn".to_owned(), 1), UnixTime(2));
    assert!(matches!(resumed, Err(JournalError::OtherSteps)));
}
