//! What the reader should know beside the changes. Expired rules come first.

use std::collections::BTreeSet;

use secateur_analyzer::account::Principal;
use secateur_analyzer::analysis::{Analysis, default_now};
use secateur_analyzer::graph::{Entity, PrincipalId};
use secateur_analyzer::rules::{Dormant, Expiry, Force, PolicyFacts, PrincipalFacts};
use secateur_analyzer::time::UnixTime;
use secateur_analyzer::wildcard;

use super::config::AwsManaged;
use super::{Advice, Change, PlanOptions, Selection, resources, subject};

/// Returns all advice; `chosen` is that of the [`choice`], and `found` what was found in making the changes.
pub(super) fn advice(
    analysis: &Analysis<'_>,
    options: &PlanOptions,
    chosen: Vec<Advice>,
    found: Vec<Advice>,
) -> Vec<Advice> {
    let mut advice = expired_rules(analysis);
    advice.extend(chosen);
    advice.extend(chosen_evidence(analysis, options));
    advice.extend(unmatched_rules(analysis, options));
    advice.extend(dormant(analysis));
    advice.extend(found);
    advice.extend(resources::advice(analysis));
    advice
}

/// What a selection leaves out: so many changes, and so many lines on what is withheld or blocked.
pub(super) fn targeted(selection: &Selection, changes: usize, unsaid: usize) -> Option<Advice> {
    // How many actions `--only` leaves is not counted.
    let (kind, detail) = if changes > 0 || !selection.only.is_empty() {
        ("targeted", "--target, --exclude or --only leaves changes out: the plan is not all that could be removed")
    } else if unsaid > 0 {
        (
            "unsaid",
            "--target or --exclude leaves no change out, but what is withheld or kept beside what it chooses is not listed",
        )
    } else {
        return None;
    };
    Some(Advice { kind: kind.to_owned(), subject: "plan".to_owned(), detail: detail.to_owned() })
}

/// What `--target` and `--exclude` take and leave of all changes beside what they name.
pub(super) fn choice(analysis: &Analysis<'_>, selection: &Selection, all: &[Change]) -> Vec<Advice> {
    if selection.target.is_empty() && selection.exclude.is_empty() {
        return Vec::new();
    }
    selection.advice(all, &addresses(analysis))
}

/// Everything in the account that has an address.
fn addresses(analysis: &Analysis<'_>) -> BTreeSet<String> {
    let graph = analysis.graph();
    let account = analysis.inputs().account;
    let principals = (0..account.principals.len()).map(|at| Entity::Principal(PrincipalId(at)));
    let entities = principals.chain((0..account.groups.len()).map(Entity::Group));
    let policies = graph.policies().flat_map(|policy| {
        let attached = graph.attached_to(policy).into_iter();
        let attached = attached.map(move |entity| subject::attachment_address(graph, policy, entity));
        attached.chain(std::iter::once(graph.address(policy).to_owned()))
    });
    let keys = analysis.access_keys().into_iter().map(|key| key.address);
    entities.map(|entity| graph.entity_address(entity)).chain(policies).chain(keys).collect()
}

fn expired_rules(analysis: &Analysis<'_>) -> Vec<Advice> {
    let inputs = analysis.inputs();
    let keep = inputs.rules.keep.iter().map(|rule| (rule.expires, rule.force(inputs.now), &rule.reason));
    let ignore = inputs.rules.ignore.iter().map(|rule| (rule.expires, rule.force(inputs.now), &rule.reason));
    let mut found = Vec::new();
    for (kind, rules) in [("keep", keep.collect::<Vec<_>>()), ("ignore", ignore.collect())] {
        for (at, (expires, force, reason)) in rules.into_iter().enumerate() {
            let Some(Expiry(date)) = expires.filter(|_| force != Force::InForce) else { continue };
            let effect = match force {
                Force::Grace => {
                    let end =
                        UnixTime::from_date(date).plus(secateur_analyzer::time::DAY + secateur_analyzer::rules::GRACE);
                    format!("what it protected is withheld until {}; renew or remove it", end.date())
                }
                _ => "it has no effect; remove it".to_owned(),
            };
            found.push(Advice {
                kind: "rule-expired".to_owned(),
                subject: format!("{kind}[{at}]"),
                detail: format!("the rule \"{reason}\" expired on {date}: {effect}"),
            });
        }
    }
    found
}

fn dormant(analysis: &Analysis<'_>) -> Vec<Advice> {
    let inputs = analysis.inputs();
    let effect = match inputs.settings.dormant {
        Dormant::Advise => "its own changes are withheld; delete it, or set dormant = \"prune\"",
        Dormant::Prune => "consider deleting it",
    };
    let is_kept = |principal: &Principal| {
        let address = principal.address();
        let facts = PrincipalFacts::of(principal, &address);
        let rules = inputs.rules.keep.iter().filter(|rule| rule.force(inputs.now) != Force::Expired);
        rules.into_iter().any(|rule| !rule.principals.is_empty() && facts.is_named(&rule.principals))
    };
    let is_dormant = |at: &usize| {
        analysis.principals().get(*at).is_some_and(|principal| {
            principal.is_dormant && principal.evidence.set_aside.is_none() && !is_kept(principal.evidence.principal())
        })
    };
    (0..analysis.principals().len())
        .filter(is_dormant)
        .map(|at| Advice {
            kind: "dormant".to_owned(),
            subject: analysis.graph().entity_address(Entity::Principal(PrincipalId(at))),
            detail: format!("used nothing within {} days: {effect}", inputs.settings.min_idle_days),
        })
        .collect()
}

/// What whoever made the plan chose beside the snapshot, and what a reviewer must know of.
fn chosen_evidence(analysis: &Analysis<'_>, options: &PlanOptions) -> Vec<Advice> {
    let inputs = analysis.inputs();
    let own = default_now(inputs.account);
    let mut found = Vec::new();
    if inputs.now != own {
        found.push(Advice {
            kind: "now".to_owned(),
            subject: "plan".to_owned(),
            detail: format!("judged at {} by --now, and not at {own}, the snapshot's own time", inputs.now),
        });
    }
    if let (Some(file), Some(older)) = (&options.older_snapshot, inputs.older) {
        let finished = older.finished_at.map_or_else(|| "no date".to_owned(), |time| time.to_string());
        found.push(Advice {
            kind: "older-snapshot".to_owned(),
            subject: "plan".to_owned(),
            detail: format!("grants rest on the older snapshot {} of {finished} ({})", file.path, file.sha256),
        });
    }
    found
}

/// Whether the glob names a policy that a plan may yet make: a copy of one that AWS owns, or a part of one that is split.
fn names_a_new_policy(analysis: &Analysis<'_>, options: &PlanOptions, glob: &str) -> bool {
    let (graph, rewrite) = (analysis.graph(), &options.rewrite);
    // What the glob says of the end of the name, which nobody knows yet.
    let end: String = glob.rsplit('-').next().unwrap_or_default().chars().filter(|c| *c != '*').collect();
    let copies = [format!("{end:0<8}"), format!("{end:0>8}")].map(|end| end.replace('?', "0"));
    let is_digest = |end: &&String| end.len() == 8 && end.chars().all(|c| c.is_ascii_hexdigit());
    let parts: Vec<String> = (2..10).map(|number| format!("part-{number}")).collect();
    graph.policies().filter_map(|id| graph.policy(id)?.managed()).any(|policy| {
        let ends: Vec<&String> = match policy.is_aws_managed() {
            true if rewrite.aws_managed == AwsManaged::Replace => copies.iter().filter(is_digest).collect(),
            false if rewrite.split => parts.iter().collect(),
            _ => Vec::new(),
        };
        ends.into_iter().any(|end| {
            let name = format!("{}-{end}", policy.name);
            let arn = subject::root_arn(graph, &name);
            let names = [name.clone(), format!("policy/{name}")];
            let mut texts = names.iter().map(String::as_str).chain(arn.as_ref().map(|arn| arn.as_str()));
            texts.any(|text| wildcard::matches_ignore_case(glob, text))
        })
    })
}

/// Globs of rules that name nothing: a typing error in a rule must not go unseen.
fn unmatched_rules(analysis: &Analysis<'_>, options: &PlanOptions) -> Vec<Advice> {
    let rules = analysis.inputs().rules;
    let graph = analysis.graph();
    let is_principal = |glob: &String| {
        let globs = std::slice::from_ref(glob);
        analysis.inputs().account.principals.iter().any(|principal| {
            let address = principal.address();
            PrincipalFacts::of(principal, &address).is_named(globs)
        })
    };
    let is_policy = |glob: &String| {
        let globs = std::slice::from_ref(glob);
        graph
            .policies()
            .filter_map(|id| Some((id, graph.policy(id)?)))
            .any(|(id, policy)| PolicyFacts::of(policy, graph.address(id)).is_named(globs))
            || names_a_new_policy(analysis, options, glob)
    };
    let mut found = Vec::new();
    let mut unmatched = |rule: String, what: &str, glob: &str| {
        found.push(Advice {
            kind: "rule-matches-nothing".to_owned(),
            subject: rule,
            detail: format!("`{glob}` names no {what}: the rule has no effect there"),
        });
    };
    for (at, rule) in rules.keep.iter().enumerate() {
        let name = || format!("keep[{at}]");
        rule.principals.iter().filter(|glob| !is_principal(glob)).for_each(|glob| unmatched(name(), "principal", glob));
        rule.policies.iter().filter(|glob| !is_policy(glob)).for_each(|glob| unmatched(name(), "policy", glob));
        for pattern in rule.actions.iter().filter(|pattern| analysis.catalog().matches(pattern).is_empty()) {
            unmatched(name(), "action of the catalogue", pattern.as_str());
        }
    }
    for (at, rule) in rules.ignore.iter().enumerate() {
        let name = || format!("ignore[{at}]");
        rule.principals.iter().filter(|glob| !is_principal(glob)).for_each(|glob| unmatched(name(), "principal", glob));
        rule.policies.iter().filter(|glob| !is_policy(glob)).for_each(|glob| unmatched(name(), "policy", glob));
    }
    for (at, rule) in rules.source.iter().enumerate().filter(|(_, rule)| !is_policy(&rule.policy)) {
        unmatched(format!("source[{at}]"), "policy", &rule.policy);
    }
    found
}
