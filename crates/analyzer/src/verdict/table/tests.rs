use super::super::{ExpiredRule, LeftAlone};
use super::*;
use crate::time::DAY;

const OBSERVED: UnixTime = UnixTime(1_000 * DAY);

fn days_ago(days: i64) -> UnixTime {
    OBSERVED.plus(-days * DAY)
}

/// A tracked action of a service in use, listed without a time since 400 days: row 9 alone matches.
fn unused_action() -> Facts {
    Facts {
        set_aside: None,
        observed: Ok(OBSERVED),
        protected: None,
        service: Some(ServiceFacts { last_use: Some(days_ago(1)), since: days_ago(400) }),
        action: ActionFacts {
            in_catalog: true,
            tracked: true,
            listed: Some(None),
            since: days_ago(400),
            assumed_grant: false,
        },
        regions: Ok(()),
        min_idle: 90 * DAY,
    }
}

/// What makes a row of the table match, whatever else does.
fn apply(row: &str, facts: &mut Facts) {
    match row {
        "1 left-alone" => facts.set_aside = Some(SetAside::LeftAlone(LeftAlone::Caller)),
        "1 ignored" => facts.set_aside = Some(SetAside::Ignored(0)),
        "1 expired" => facts.set_aside = Some(SetAside::RuleExpired(0)),
        "2 no report" => facts.observed = Err(NoEvidence::NoReport),
        "2 failed" => facts.observed = Err(NoEvidence::Failed("x".into())),
        "3 protected" => facts.protected = Some(Protection::PassRole),
        "3 expired" => facts.protected = Some(Protection::ExpiredKeepRule(2)),
        "4 not listed" => {
            facts.service = None;
            facts.action.listed = None;
        }
        "5 used" => {
            facts.action.listed = Some(Some(days_ago(89)));
            facts.service = Some(ServiceFacts { last_use: Some(days_ago(89)), since: days_ago(400) });
        }
        "6 regions" => facts.regions = Err(RegionProblem::Unknown),
        "7 service since" => {
            facts.service = Some(ServiceFacts { last_use: None, since: days_ago(89) });
            facts.action.listed = Some(None);
            facts.action.since = days_ago(89);
        }
        "7 old use, new grant" => {
            facts.service = Some(ServiceFacts { last_use: Some(days_ago(200)), since: days_ago(10) });
        }
        "7 action since" => facts.action.since = days_ago(89),
        "7 old action use, new grant" => {
            facts.action.listed = Some(Some(days_ago(200)));
            facts.action.since = days_ago(10);
        }
        "8 unused" => facts.service = Some(ServiceFacts { last_use: None, since: days_ago(400) }),
        "8 idle" => facts.service = Some(ServiceFacts { last_use: Some(days_ago(90)), since: days_ago(400) }),
        "9 unused" => facts.action.listed = Some(None),
        "9 idle" => facts.action.listed = Some(Some(days_ago(90))),
        "10 untracked" => facts.action.tracked = false,
        "10 not listed" => facts.action.listed = None,
        "10 unknown name" => {
            facts.action.in_catalog = false;
            facts.action.tracked = false;
        }
        other => panic!("{other}"),
    }
}

fn check(rows: &[&str], expect: &str) {
    let mut facts = unused_action();
    for row in rows {
        apply(row, &mut facts);
    }
    assert_eq!(facts.verdict().as_str(), expect, "{rows:?}: {facts:?}");
}

#[test]
fn every_row_alone() {
    check(&["1 left-alone"], "left-alone");
    check(&["1 ignored"], "ignored");
    check(&["1 expired"], "rule-expired");
    check(&["2 no report"], "no-evidence");
    check(&["2 failed"], "no-evidence");
    check(&["3 protected"], "protected");
    check(&["3 expired"], "rule-expired");
    check(&["4 not listed"], "not-evaluated");
    check(&["5 used"], "used");
    check(&["6 regions"], "region-untracked");
    check(&["7 service since"], "too-recent");
    check(&["7 old use, new grant"], "too-recent");
    check(&["7 action since"], "too-recent");
    check(&["7 old action use, new grant"], "too-recent");
    check(&["8 unused"], "unused-service");
    check(&["8 idle"], "idle-service");
    check(&["9 unused"], "unused-action");
    check(&["9 idle"], "idle-action");
    check(&["10 untracked"], "untracked");
    check(&["10 not listed"], "untracked");
    check(&["10 unknown name"], "untracked");
}

#[test]
fn the_first_of_two_rows_wins() {
    let rows = [
        "1 left-alone",
        "1 ignored",
        "1 expired",
        "2 no report",
        "2 failed",
        "3 protected",
        "3 expired",
        "4 not listed",
        "5 used",
        "6 regions",
        "7 service since",
        "7 action since",
        "8 unused",
        "8 idle",
        "9 unused",
        "9 idle",
        "10 untracked",
        "10 not listed",
        "10 unknown name",
    ];
    let verdict = |row: &str| {
        let mut facts = unused_action();
        apply(row, &mut facts);
        facts.verdict()
    };
    // Rows 1, 2, 3 and 6 leave the others' facts alone: each can match together with every later row.
    for (at, first) in rows.iter().enumerate() {
        let number = first.split(' ').next().unwrap();
        if !["1", "2", "3", "6"].contains(&number) {
            continue;
        }
        for second in rows.iter().skip(at + 1).filter(|row| row.split(' ').next() != Some(number)) {
            check(&[second, first], verdict(first).as_str());
        }
    }
    // A service that is not listed, with Regions unknown.
    check(&["4 not listed", "6 regions"], "not-evaluated");
    // Everything that was not listed or not tracked is "anything else" too.
    check(&["10 not listed", "4 not listed"], "not-evaluated");
    check(&["10 untracked", "4 not listed"], "not-evaluated");
    // Used is also idle for less than min_idle_days, and wins over unknown Regions.
    check(&["5 used", "6 regions"], "used");
    check(&["7 action since", "5 used"], "used");
    check(&["5 used", "10 untracked"], "used");
    check(&["5 used", "10 unknown name"], "used");
    // A service that was never used, or not for long, but could not have been used for long.
    check(&["8 unused", "7 service since"], "too-recent");
    check(&["9 unused", "7 action since"], "too-recent");
    check(&["9 idle", "7 action since"], "too-recent");
    check(&["7 action since", "10 untracked"], "untracked");
    // An idle service decides for all its actions, tracked or not, listed or not; but a name that the catalogue does not
    // know is never taken for unused.
    check(&["8 unused", "9 unused"], "unused-service");
    check(&["8 idle", "10 untracked"], "idle-service");
    check(&["8 unused", "10 not listed"], "unused-service");
    check(&["8 unused", "10 unknown name"], "untracked");
    check(&["9 unused", "10 untracked"], "untracked");
    check(&["9 idle", "10 unknown name"], "untracked");
}

#[test]
fn a_day_is_long_and_the_bound_is_inclusive() {
    let check = |last: UnixTime, expect: &str| {
        let mut facts = unused_action();
        facts.action.listed = Some(Some(last));
        assert_eq!(facts.verdict().as_str(), expect, "{last}");
    };
    check(days_ago(90), "idle-action");
    check(days_ago(90).plus(1), "used");
    let mut facts = unused_action();
    facts.action.since = days_ago(90);
    assert_eq!(facts.verdict().as_str(), "unused-action");
    facts.action.since = days_ago(90).plus(1);
    assert_eq!(facts.verdict(), Verdict::TooRecent { since: days_ago(90).plus(1) });
}

#[test]
fn a_removal_names_its_evidence() {
    let mut facts = unused_action();
    facts.action.listed = Some(Some(days_ago(200)));
    facts.action.assumed_grant = true;
    let expect = Removal {
        reason: RemovalReason::IdleAction,
        last_accessed: Some(days_ago(200)),
        since: days_ago(400),
        assumed_grant: true,
    };
    assert_eq!(facts.verdict().removal(), Some(expect));
    apply("8 idle", &mut facts);
    let removal = facts.verdict().removal().unwrap();
    assert_eq!((removal.reason, removal.last_accessed), (RemovalReason::IdleService, Some(days_ago(90))));
}

#[test]
fn an_expired_keep_rule_is_named() {
    let mut facts = unused_action();
    apply("3 expired", &mut facts);
    assert_eq!(facts.verdict(), Verdict::RuleExpired(ExpiredRule::Keep(2)));
}
