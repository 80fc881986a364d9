//! Which row decided, what it rests on, and what would change it.

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::graph::{Holder, PolicyId};
use secateur_analyzer::rules::KeepRule;
use secateur_analyzer::time::UnixTime;
use secateur_analyzer::verdict::{
    ExpiredRule, Facts, Protection, REPORTING_DELAY, RegionProblem, Verdict, region_use_days,
};

use super::{VerdictWord, young};

/// The verdict on an action that only statements with a Sid such as `SecateurKeep...` grant.
pub(super) fn left_alone_statement() -> VerdictWord {
    VerdictWord {
        verdict: "left-alone",
        row: 1,
        because: "the statement's Sid begins with SecateurKeep".to_owned(),
        unless: "give the statement another Sid".to_owned(),
    }
}

/// Puts the verdict on these facts into words.
pub(super) fn word(analysis: &Analysis<'_>, (policy, holder): (PolicyId, &Holder), facts: &Facts) -> VerdictWord {
    let verdict = facts.verdict();
    let (row, because, unless) = words(analysis, (policy, holder), facts, &verdict);
    VerdictWord { verdict: verdict.as_str(), row, because, unless }
}

fn words(
    analysis: &Analysis<'_>,
    (policy, holder): (PolicyId, &Holder),
    facts: &Facts,
    verdict: &Verdict,
) -> (u8, String, String) {
    let days = analysis.inputs().settings.min_idle_days;
    // The report that first sees `min_idle` without use is generated this much later.
    let from = |time: UnixTime| time.plus(facts.min_idle + REPORTING_DELAY);
    match verdict {
        Verdict::LeftAlone(why) => (1, why.to_string(), "it is not changed here, whatever its use".to_owned()),
        Verdict::Ignored(rule) => {
            let reason = analysis.inputs().rules.ignore.get(*rule).map_or("", |rule| rule.reason.as_str());
            (1, format!("ignore[{rule}]: {reason}"), "remove the rule from secateur.toml".to_owned())
        }
        Verdict::RuleExpired(rule) => expired(analysis, *rule),
        Verdict::NoEvidence(why) => (2, why.to_string(), "collect a finished ACTION_LEVEL report on it".to_owned()),
        Verdict::Protected(protection) => protected(analysis, protection),
        Verdict::NotEvaluated => (
            4,
            "the report does not list the service: AWS lists what a policy allows and no unconditional Deny takes away"
                .to_owned(),
            "a report that lists the service".to_owned(),
        ),
        Verdict::Used(last) => {
            (5, format!("it was last used on {}", last.date()), format!("no further use by {}", from(*last).date()))
        }
        Verdict::RegionUntracked(problem) => region(problem, region_use_days(analysis.inputs().settings)),
        Verdict::TooRecent { since } => {
            let young = young::cause(analysis, (policy, holder), *since, facts.observed.as_ref().ok().copied());
            let why = young.as_ref().map_or_else(String::new, |young| format!(": {}", young.cause));
            let unless = match young.and_then(|young| young.instead) {
                Some(instead) => instead.to_owned(),
                None => format!("no use by {}", from(*since).date()),
            };
            let because = format!("use would have been seen since {} only, less than {days} days{why}", since.date());
            (7, because, unless)
        }
        Verdict::Removable(removal) => {
            let row = if removal.reason.as_str().ends_with("-service") { 8 } else { 9 };
            let what = if row == 8 { "the service" } else { "the action" };
            let assumed = if removal.assumed_grant { " (when it was granted is assumed to be long ago)" } else { "" };
            let because = match removal.last_accessed {
                None => format!("{what} was not used since {}{assumed}", removal.since.date()),
                Some(last) => format!("{what} was last used on {}{assumed}", last.date()),
            };
            (row, because, "use it, or name it in a [[keep]] rule".to_owned())
        }
        Verdict::Untracked => (10, untracked(facts), untracked_unless(facts, days)),
    }
}

fn region(problem: &RegionProblem, days: u32) -> (u8, String, String) {
    let named = "regions.json, or regions_in_use, naming only Regions that report last-accessed data";
    let unless = match problem {
        RegionProblem::Untracked(regions) if regions.iter().all(|region| region.used_by.is_some()) => {
            let regions: Vec<&str> = regions.iter().map(|region| region.name.as_str()).collect();
            format!("a catalogue that lists {}, or {days} days without such a use", regions.join(", "))
        }
        _ => named.to_owned(),
    };
    (6, problem.to_string(), unless)
}

fn expired(analysis: &Analysis<'_>, rule: ExpiredRule) -> (u8, String, String) {
    let rules = analysis.inputs().rules;
    let (row, name, reason) = match rule {
        ExpiredRule::Keep(at) => (3, format!("keep[{at}]"), rules.keep.get(at).map(|rule| rule.reason.as_str())),
        ExpiredRule::Ignore(at) => (1, format!("ignore[{at}]"), rules.ignore.get(at).map(|rule| rule.reason.as_str())),
    };
    let because = format!("{name} has expired less than 14 days ago: {}", reason.unwrap_or_default());
    (row, because, "renew the rule, or wait for the end of the 14 days".to_owned())
}

fn protected(analysis: &Analysis<'_>, protection: &Protection) -> (u8, String, String) {
    let reason = |at: &usize| analysis.inputs().rules.keep.get(*at).map_or("", |rule: &KeepRule| rule.reason.as_str());
    let (because, unless) = match protection {
        Protection::PassRole => (protection.to_string(), "nothing: remove it by hand if you know better".to_owned()),
        Protection::Related(action) => (protection.to_string(), format!("the removal of {action}")),
        Protection::KmsViaService => (protection.to_string(), "kms_via_service = \"trust\"".to_owned()),
        Protection::Runtime(_) => (protection.to_string(), "nothing: remove it by hand if you know better".to_owned()),
        Protection::KeyUse { .. } => (protection.to_string(), "a new report, or no use of the access key".to_owned()),
        Protection::KeepRule(at) | Protection::ExpiredKeepRule(at) => {
            (format!("keep[{at}]: {}", reason(at)), "remove the rule from secateur.toml".to_owned())
        }
    };
    (3, because, unless)
}

fn untracked(facts: &Facts) -> String {
    if !facts.action.in_catalog {
        "the catalogue does not know the action".to_owned()
    } else if !facts.action.tracked {
        "the service is in use, and AWS does not report the action's last use".to_owned()
    } else {
        "the service is in use, and the report does not list the action".to_owned()
    }
}

fn untracked_unless(facts: &Facts, days: u32) -> String {
    let service = format!("no use of the whole service for {days} days");
    if facts.action.tracked { format!("a report that lists the action, or {service}") } else { service }
}
