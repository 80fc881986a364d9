use super::*;
use crate::account::sketch::{NOW, time};
use crate::time::DAY;

/// A key, and the word of the verdict on it; collected at [`NOW`], 2026-10-10T06:00:00Z, 90 days.
fn check(created: &str, last_used: KeyLastUsed, expect: &str) {
    assert_eq!(verdict(KeyStatus::Active, time(created), last_used, |_| {}).as_str(), expect, "{created}");
}

fn verdict(
    status: KeyStatus,
    created: Option<UnixTime>,
    last_used: KeyLastUsed,
    change: impl FnOnce(&mut AccessKeyFacts<'_>),
) -> AccessKeyVerdict {
    let key = AccessKey { id: "AKIA1".to_owned(), status, created, last_used };
    let mut facts = AccessKeyFacts {
        key: &key,
        collected: Ok(time(NOW).unwrap()),
        handled: None,
        set_aside: None,
        kept: None,
        is_dormant: false,
        max_idle: 90 * DAY,
    };
    change(&mut facts);
    facts.verdict()
}

fn at(text: &str) -> KeyLastUsed {
    KeyLastUsed::At { time: time(text).unwrap(), service: "s3".to_owned(), region: "N/A".to_owned() }
}

#[test]
fn the_last_use_decides() {
    check("2024-01-01", at("2026-01-01"), "idle-key");
    check("2024-01-01", at("2026-10-09"), "used");
    // 90 days, four hours and a quarter before the collection.
    check("2024-01-01", at("2026-07-12T01:45:00Z"), "idle-key");
    check("2024-01-01", at("2026-07-12T01:45:01Z"), "used");
    check("2024-01-01", at("2027-01-01"), "used");
    check("2010-01-01", at("2026-01-01"), "idle-key");
    check("2010-01-01", at("2015-04-23"), "idle-key");
}

#[test]
fn a_key_that_was_never_used_is_as_old_as_its_creation() {
    check("2024-01-01", KeyLastUsed::NoRecord, "unused-key");
    check("2026-07-12T02:00:00Z", KeyLastUsed::NoRecord, "unused-key");
    check("2026-07-12T02:00:01Z", KeyLastUsed::NoRecord, "too-recent");
    check("2015-04-22T00:00:00Z", KeyLastUsed::NoRecord, "unused-key");
    check("2015-04-21T23:59:59Z", KeyLastUsed::NoRecord, "no-evidence");
    check("2024-01-01", KeyLastUsed::Unknown, "no-evidence");
    assert_eq!(verdict(KeyStatus::Active, None, KeyLastUsed::NoRecord, |_| {}).as_str(), "no-evidence");
    assert_eq!(verdict(KeyStatus::Active, None, at("2026-01-01"), |_| {}).as_str(), "no-evidence");
    // What AWS says to be used before it was made is as old as its creation.
    check("2026-10-01", at("2026-01-01"), "too-recent");
}

#[test]
fn only_active_keys_are_looked_at() {
    for status in [KeyStatus::Inactive, KeyStatus::Expired, KeyStatus::Unknown("Pending".to_owned())] {
        let verdict = verdict(status, time("2024-01-01"), KeyLastUsed::NoRecord, |_| {});
        assert_eq!(verdict, AccessKeyVerdict::NotActive);
    }
}

#[test]
fn what_keeps_an_idle_key() {
    let check = |change: &dyn Fn(&mut AccessKeyFacts<'_>), expect: &str| {
        let idle = verdict(KeyStatus::Active, time("2024-01-01"), KeyLastUsed::NoRecord, |facts| change(facts));
        assert_eq!(idle.as_str(), expect);
        // What is in use is in use, whoever is left alone.
        let used = verdict(KeyStatus::Active, time("2024-01-01"), at("2026-10-09"), |facts| change(facts));
        assert!(["used", "no-evidence"].contains(&used.as_str()), "{used:?}");
    };
    check(&|facts| facts.set_aside = Some(SetAside::LeftAlone(LeftAlone::Caller)), "left-alone");
    check(&|facts| facts.set_aside = Some(SetAside::Ignored(0)), "ignored");
    check(&|facts| facts.set_aside = Some(SetAside::RuleExpired(0)), "rule-expired");
    check(&|facts| facts.kept = Some(KeepsKey::InForce(0)), "protected");
    check(&|facts| facts.kept = Some(KeepsKey::Expired(0)), "rule-expired");
    check(&|facts| facts.is_dormant = true, "dormant");
    check(&|facts| facts.handled = time("2026-10-01"), "too-recent");
    check(&|facts| facts.handled = time("2026-01-01"), "unused-key");
    check(&|facts| facts.collected = Err(NoKeyEvidence::NoDate), "no-evidence");
    check(&|facts| facts.max_idle = 3_000 * DAY, "too-recent");
}
