//! Dates that are none: what AWS's tools, and those that print what they read, write where a date is missing.
//!
//! A principal of the year 1 would be an old one, and a use of the year 1 a use of long ago. Nobody knows when it was: such a date
//! counts as absent, or as of the end of the collection where that keeps more, and a gap says so.

use secateur_analyzer::account::{Account, Gap, KeyLastUsed};
use secateur_analyzer::time::UnixTime;

/// Takes the impossible dates out of what was read. Those of reports are told with the report.
pub(super) fn clear(account: &mut Account) {
    let mut gaps = Vec::new();
    let latest = latest(account);
    let mut note = |subject: &str, detail: String| {
        gaps.push(Gap { subject: subject.to_owned(), kind: "impossible-date".to_owned(), detail });
    };
    for own in &mut account.principals {
        if let Some(date) = take(&mut own.created) {
            note(own.arn.as_str(), format!("was created on {date}: {UNKNOWN}"));
        }
        if let Some(date) = take(&mut own.last_used) {
            // That it was used at all stays on record.
            own.last_used_region.get_or_insert_default();
            note(own.arn.as_str(), format!("was last used on {date}: {UNKNOWN}"));
        }
    }
    for policy in &mut account.policies {
        if let Some(date) = take(&mut policy.created) {
            note(policy.arn.as_str(), format!("was created on {date}: {UNKNOWN}"));
        }
        for version in &mut policy.versions {
            if let Some(date) = take(&mut version.created) {
                note(policy.arn.as_str(), format!("has version {} of {date}: {UNKNOWN}", version.id));
            }
        }
    }
    for (user, keys) in &mut account.access_keys {
        for key in keys {
            if let Some(date) = take(&mut key.created) {
                note(user.as_str(), format!("has an access key that was created on {date}: {UNKNOWN}"));
            }
            if let KeyLastUsed::At { time, .. } = &key.last_used
                && !time.is_possible()
            {
                note(user.as_str(), format!("has an access key that was last used on {}: {UNKNOWN}", time.date()));
                key.last_used = KeyLastUsed::Unknown;
            }
        }
    }
    for key in account.kms_keys.values_mut() {
        for (date, what) in [(&mut key.created, "was created"), (&mut key.tracking_start, "is recorded since")] {
            if let Some(date) = take(date) {
                note(key.arn.as_str(), format!("{what} {date}: {UNKNOWN}"));
            }
        }
    }
    if let Some(history) = &mut account.grants {
        let undated = history.events.iter_mut().filter(|event| !event.time.is_possible());
        let number = undated.map(|event| event.time = latest).count();
        if number > 0 {
            let calls = if number == 1 { "1 call has".to_owned() } else { format!("{number} calls have") };
            note(
                "grants.json",
                format!("{calls} a date before 1970-01-02, which no call can be of: taken for one of {latest}"),
            );
            history.events.sort_by_key(|event| event.time);
        }
    }
    account.gaps.append(&mut gaps);
    account.gaps.sort();
    account.gaps.dedup();
}

const UNKNOWN: &str = "no such date is possible, so nothing tells when";

/// Returns the date that was taken, if it is none.
fn take(date: &mut Option<UnixTime>) -> Option<String> {
    date.take_if(|date| !date.is_possible()).map(|date| date.date().to_string())
}

/// The latest time that the snapshot knows of: the end of its history, of its collection, or of a report.
fn latest(account: &Account) -> UnixTime {
    let reports = account.reports.values().filter_map(|report| report.generated_at);
    let ends = account.grants.iter().map(|history| history.to).chain(account.finished_at);
    reports.chain(ends).max().unwrap_or(UnixTime(0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture::{Fixture, details, role};
    use super::super::place::DETAILS;
    use super::*;

    #[test]
    fn impossible_dates_are_none_and_each_is_a_gap() {
        let never = "0001-01-01T00:00:00Z";
        let snapshot = Fixture::new();
        let policy = json!({
            "PolicyName": "P", "PolicyId": "ANPA1", "Arn": "arn:aws:iam::111122223333:policy/P", "Path": "/",
            "DefaultVersionId": "v1", "CreateDate": never,
            "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "CreateDate": "1970-01-01T00:00:00Z"}],
        });
        let user = json!({
            "Path": "/", "UserName": "ann", "UserId": "AIDA1", "Arn": "arn:aws:iam::111122223333:user/ann", "CreateDate": never,
        });
        let used = json!({"CreateDate": "1969-12-31T00:00:00Z", "RoleLastUsed": {"LastUsedDate": never}});
        let all = json!({"RoleDetailList": [role("ci", used)], "UserDetailList": [user], "Policies": [policy]});
        snapshot.put(DETAILS, details(all).to_string());
        let keys = json!({"AccessKeyMetadata": [
            {"UserName": "ann", "AccessKeyId": "AKIA1", "Status": "Active", "CreateDate": never,
             "AccessKeyLastUsed": {"LastUsedDate": never, "ServiceName": "N/A", "Region": "N/A"}},
        ]});
        snapshot.put("access-keys/ann.json", keys.to_string());
        let arn = "arn:aws:kms:us-east-1:111122223333:key/k";
        snapshot.put(
            "kms/us-east-1/k.json",
            json!({"Arn": arn, "KeyCreationDate": never, "TrackingStartDate": never}).to_string(),
        );
        let call = json!({"event_time": never, "event_name": "PutRolePolicy", "role_name": "ci"});
        let grants = json!({"format_version": 1, "from": "2026-07-01T00:00:00Z", "to": "2026-10-10T06:00:00Z", "events": [call]});
        snapshot.put("grants.json", grants.to_string());
        let account = snapshot.read().unwrap();
        assert!(account.principals.iter().all(|own| own.created.is_none() && own.last_used.is_none()));
        assert_eq!(account.principals[0].last_used_region.as_deref(), Some(""));
        assert!(account.policies[0].created.is_none() && account.policies[0].versions[0].created.is_none());
        let key = account.access_keys.values().flatten().next().unwrap();
        assert_eq!((key.created, &key.last_used), (None, &KeyLastUsed::Unknown));
        let kms = account.kms_keys.values().next().unwrap();
        assert_eq!((kms.created, kms.tracking_start), (None, None));
        let history = account.grants.as_ref().unwrap();
        assert_eq!(history.events[0].time, history.to);
        let gaps = account.gaps.iter().filter(|gap| gap.kind == "impossible-date");
        let gaps: Vec<String> = gaps.map(|gap| format!("{} {}", gap.subject, gap.detail)).collect();
        assert_eq!(gaps.len(), 10, "{gaps:#?}");
        let why = "no such date is possible, so nothing tells when";
        assert!(
            gaps.contains(&format!("arn:aws:iam::111122223333:role/ci was last used on 0001-01-01: {why}")),
            "{gaps:#?}"
        );
    }

    #[test]
    fn a_report_of_impossible_use_is_no_report() {
        let check = |row: serde_json::Value, expect: &str| {
            let snapshot = Fixture::with_details();
            let report = json!({
                "Arn": "arn:aws:iam::111122223333:role/ci", "JobStatus": "COMPLETED", "JobType": "ACTION_LEVEL",
                "JobCompletionDate": "2026-10-10T06:00:00Z", "ServicesLastAccessed": [row],
            });
            snapshot.put("last-accessed/ci.json", report.to_string());
            let account = snapshot.read().unwrap();
            let status = account.reports.values().next().map(|report| format!("{:?}", report.status));
            assert_eq!(status.as_deref(), Some(expect));
        };
        let of = |last: &str, action: &str| {
            json!({"ServiceNamespace": "s3", "LastAuthenticated": last,
                   "TrackedActionsLastAccessed": [{"ActionName": "CreateBucket", "LastAccessedTime": action}]})
        };
        let (day, never) = ("2026-10-01T00:00:00Z", "0001-01-01T00:00:00Z");
        check(of(day, day), "Completed");
        check(of(never, day), "Contradictory(\"s3 has 0001-01-01T00:00:00Z as LastAuthenticated\")");
        check(of(day, never), "Contradictory(\"s3:CreateBucket has 0001-01-01T00:00:00Z as LastAccessedTime\")");
    }

    #[test]
    fn a_manifest_of_no_time_is_refused() {
        for member in ["started_at", "finished_at", "details_at"] {
            let snapshot = Fixture::with_details();
            snapshot.seal(json!({member: "0001-01-01T00:00:00Z"}));
            let error = snapshot.error();
            assert!(error.contains("0001-01-01T00:00:00Z is before all of AWS"), "{error}");
        }
    }
}
