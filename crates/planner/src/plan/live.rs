//! A plan against the account as it is now: what moved, what has been used since, and what there is no room for.

use std::collections::{BTreeMap, BTreeSet};

use secateur_analyzer::account::{Account, KeyLastUsed, ManagedPolicy, PolicyVersion};
use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::{counted_characters, fingerprint};
use secateur_analyzer::graph::{Entity, Graph, PrincipalId};
use secateur_analyzer::time::UnixTime;

use super::build::Numbering;
use super::subject::{self, Subject};
use super::{
    Change, ChangeAction, ExpectedHolder, Expects, Plan, PlanOptions, Quotas, Refusal, expects, keys, verify,
    verify_group,
};

/// What the changes expect and the account, as it is now, does not have.
pub fn drift(changes: &[&Change], live: &Analysis<'_>) -> Vec<Refusal> {
    let graph = live.graph();
    changes.iter().flat_map(|change| of_change(change, graph)).collect()
}

fn of_change(change: &Change, graph: &Graph<'_>) -> Vec<Refusal> {
    let refuse = |name: &str, detail: String| verify::refusal(change, name, &detail);
    match change.action {
        ChangeAction::Create => {
            let is_named = |policy: &&ManagedPolicy| {
                !policy.is_aws_managed() && policy.name.eq_ignore_ascii_case(&change.target.name)
            };
            let there = graph.account().policies.iter().find(is_named);
            there.map(|policy| refuse("created", format!("there is a policy {} now", policy.arn))).into_iter().collect()
        }
        ChangeAction::Attach => attach(change, graph),
        ChangeAction::Deactivate => key(change, graph.account()),
        ChangeAction::Update | ChangeAction::Delete | ChangeAction::Detach => {
            let Some((policy, entity)) = subject::find(graph, &change.address) else {
                return vec![refuse("gone", "it is gone".to_owned())];
            };
            let document = graph.policy(policy).and_then(|policy| policy.document());
            let Some(document) = document else { return vec![refuse("gone", "its document is gone".to_owned())] };
            let action = change.action;
            let subject = Subject { policy, action, entity, before: document.text(), after: change.after.as_deref() };
            let Some(target) = subject::target(graph, &subject) else {
                return vec![refuse("gone", "it is gone".to_owned())];
            };
            let now = expects::expects(graph, &subject);
            let mut refusals = Vec::new();
            if target.arn != change.target.arn || target.unique_id != change.target.unique_id {
                let detail = format!(
                    "it was deleted and made again: it is {} ({}), and was {} ({})",
                    target.arn, target.unique_id, change.target.arn, change.target.unique_id
                );
                refusals.push(refuse("recreated", detail));
            }
            if target.default_version != change.target.default_version {
                let name = |version: &Option<String>| version.clone().unwrap_or_default();
                let (now, then) = (name(&target.default_version), name(&change.target.default_version));
                refusals.push(refuse("version", format!("{now} is in force, and was {then}")));
            }
            refusals.extend(compare(change, &now));
            refusals
        }
    }
}

/// What of the expectations is not so.
fn compare(change: &Change, now: &Expects) -> Vec<Refusal> {
    let then = &change.expects;
    let mut refusals = Vec::new();
    let mut refuse = |name: &str, detail: String| refusals.push(verify::refusal(change, name, &detail));
    if then.document != now.document {
        let name = |document: &Option<_>| {
            document.map_or("none".to_owned(), |sha256: secateur_analyzer::document::Sha256| sha256.to_string())
        };
        refuse("document", format!("its document is {}, and was {}", name(&now.document), name(&then.document)));
    }
    let words = |members: &[String]| members.iter().cloned().collect::<BTreeSet<String>>();
    let holders = |holders: &[ExpectedHolder]| {
        let word = |holder: &ExpectedHolder| format!("{} ({})", holder.arn, holder.unique_id);
        holders.iter().map(word).collect::<BTreeSet<String>>()
    };
    let lists = [
        ("holders", holders(&now.holders), holders(&then.holders), "holds it"),
        ("memberships", words(&now.memberships), words(&then.memberships), "is a member"),
        ("attachments", words(&now.attachments), words(&then.attachments), "has it attached"),
        ("versions", words(&now.versions), words(&then.versions), "is a version"),
    ];
    for (name, now, then, verb) in lists {
        if let Some(new) = now.difference(&then).next() {
            refuse(name, format!("{new} {verb} now, and did not"));
        } else if let Some(gone) = then.difference(&now).next() {
            refuse(name, format!("{gone} {verb} no longer"));
        }
    }
    if let Some(detail) = other_group(then.group_id.as_ref(), now.group_id.as_ref()) {
        refuse("recreated", detail);
    }
    if then.boundary_use != now.boundary_use {
        let detail = if now.boundary_use { "is a permissions boundary now" } else { "is no permissions boundary now" };
        refuse("boundary-use", format!("it {detail}"));
    }
    if then.inline_size != now.inline_size {
        let size = |size: Option<usize>| size.unwrap_or(0);
        let detail = format!(
            "all inline policies of the entity have {} characters, and had {}",
            size(now.inline_size),
            size(then.inline_size)
        );
        refuse("inline-size", detail);
    }
    refusals
}

/// Says that a group is another one of the same name.
fn other_group(then: Option<&String>, now: Option<&String>) -> Option<String> {
    let name = |id: Option<&String>| id.cloned().unwrap_or_else(|| "none".to_owned());
    (then != now).then(|| format!("the group was deleted and made again: it is {}, and was {}", name(now), name(then)))
}

/// Those who get a policy by an attachment, and that it is not there yet.
fn attach(change: &Change, graph: &Graph<'_>) -> Vec<Refusal> {
    let refuse = |name: &str, detail: String| vec![verify::refusal(change, name, &detail)];
    let Some(entity) = change.target.owner.as_deref().and_then(|owner| find_entity(graph, owner)) else {
        return refuse("gone", "who was to get it is gone".to_owned());
    };
    let policy = graph.find(&format!("policy/{}", change.target.name));
    if policy.is_some_and(|policy| graph.attached_to(policy).contains(&entity)) {
        return refuse("attachments", "it is attached now, and was not".to_owned());
    }
    if let Some(expected) = change.expects.document {
        let document = policy.and_then(|policy| graph.policy(policy)).and_then(|policy| policy.document());
        if document.is_none_or(|document| fingerprint(document.text()) != expected) {
            return refuse("document", "the policy is no longer what it was".to_owned());
        }
    }
    if let Some(detail) = other_group(change.expects.group_id.as_ref(), expects::group_id(graph, entity).as_ref()) {
        return refuse("recreated", detail);
    }
    let members: Vec<PrincipalId> = match entity {
        Entity::Principal(principal) => vec![principal],
        Entity::Group(group) => graph.members(group),
    };
    let mut now: BTreeSet<(String, String)> = BTreeSet::new();
    for id in members {
        if let Some(principal) = graph.account().principals.get(id.0) {
            now.insert((principal.arn.to_string(), principal.unique_id.clone()));
        }
    }
    let expected = change.expects.holders.iter();
    let then: BTreeSet<(String, String)> =
        expected.map(|holder| (holder.arn.to_string(), holder.unique_id.clone())).collect();
    match now == then {
        true => Vec::new(),
        false => refuse("holders", "those whom it reaches are not those who were to get it".to_owned()),
    }
}

fn find_entity(graph: &Graph<'_>, address: &str) -> Option<Entity> {
    let account = graph.account();
    let principals = (0..account.principals.len()).map(|at| Entity::Principal(PrincipalId(at)));
    let groups = (0..account.groups.len()).map(Entity::Group);
    principals.chain(groups).find(|entity| graph.entity_address(*entity) == address)
}

fn key(change: &Change, account: &Account) -> Vec<Refusal> {
    let refuse = |name: &str, detail: String| vec![verify::refusal(change, name, &detail)];
    let Some(user) = account.principal(&change.target.arn) else {
        return refuse("gone", "its user is gone".to_owned());
    };
    if user.unique_id != change.target.unique_id {
        return refuse("recreated", format!("its user was deleted and made again: {}", user.unique_id));
    }
    let keys = account.access_keys.get(&change.target.arn);
    let Some(keys) = keys else { return refuse("unknown", "the keys of its user could not be read".to_owned()) };
    let Some(key) = keys.iter().find(|key| key.id == change.target.name) else {
        return refuse("gone", "the key is gone".to_owned());
    };
    let expected = change.expects.access_key.as_ref();
    let is_same = expected
        .is_some_and(|expected| expected.status == key.status.as_str() && Some(expected.created) == key.created);
    match is_same {
        true => Vec::new(),
        false => refuse("access-key", format!("the key is {}", key.status.as_str())),
    }
}

/// Proves the changes anew on what is known now. Returns, by group or address, why some may no longer be made.
pub fn recheck(
    plan: &Plan,
    changes: &[&Change],
    live: &Analysis<'_>,
    options: &PlanOptions,
) -> BTreeMap<String, Refusal> {
    let everybody = (0..live.inputs().account.principals.len()).map(PrincipalId).collect();
    let numbering = Numbering::new(everybody);
    let mut withheld = BTreeMap::new();
    let mut groups: BTreeMap<&str, Vec<Change>> = BTreeMap::new();
    for change in changes {
        let change_now = with_live_text(change, live);
        if verify_group::is_of_one(plan, change) {
            groups.entry(change.unit()).or_default().push(change_now);
            continue;
        }
        let result = match change.action {
            ChangeAction::Deactivate => keys::prove_again(&change_now, live).map(|_| ()),
            _ => verify::prove_again(&change_now, live, options, &numbering).map(|_| ()),
        };
        if let Err(refusal) = result {
            let refusal = with_use(refusal, plan, &[change], live);
            withheld.entry(change.unit().to_owned()).or_insert(refusal);
        }
    }
    for (unit, changes) in groups {
        let changes: Vec<&Change> = changes.iter().collect();
        if let Err(refusal) = verify_group::prove_again(&changes, live, options, &numbering) {
            let refusal = with_use(refusal, plan, &changes, live);
            withheld.entry(unit.to_owned()).or_insert(refusal);
        }
    }
    withheld
}

/// Adds by whom and when the action that a refusal names was last used; of an access key, when.
fn with_use(mut refusal: Refusal, plan: &Plan, changes: &[&Change], live: &Analysis<'_>) -> Refusal {
    let account = live.inputs().account;
    let mut last: Option<(UnixTime, String)> = None;
    let action = refusal.detail.split('`').nth(1).and_then(|name| live.catalog().parse_action(name));
    for change in changes {
        let holders = change.holders.iter().filter_map(|at| plan.principals.get(*at));
        for holder in holders {
            let row = action.and_then(|id| account.reports.get(holder)?.service(live.catalog().service_of(id)));
            let used = action.zip(row).and_then(|(id, row)| row.action(id)?.last_accessed());
            let who = format!("{}/{}", holder.resource_type(), holder.name());
            last = last.max(used.map(|time| (time, who)));
        }
        let keys = account.access_keys.get(&change.target.arn).into_iter().flatten();
        for key in keys.filter(|key| change.action == ChangeAction::Deactivate && key.id == change.target.name) {
            if let KeyLastUsed::At { time, .. } = &key.last_used {
                last = last.max(Some((*time, key.id.clone())));
            }
        }
    }
    if let Some((time, who)) = last {
        refusal.detail = format!("{}; last used by {who} at {time}", refusal.detail);
    }
    refusal
}

/// A document that says the same in another layout is the same: AWS may print it anew, and a snapshot of the AWS CLI has it
/// reformatted. The proof starts from the text that is there.
fn with_live_text(change: &Change, live: &Analysis<'_>) -> Change {
    let graph = live.graph();
    let text = subject::find(graph, &change.address)
        .and_then(|(policy, _)| graph.policy(policy))
        .and_then(|policy| policy.document())
        .map(|document| document.text().to_owned());
    let mut now = change.clone();
    let is_own = !matches!(change.action, ChangeAction::Create | ChangeAction::Attach);
    if let (true, Some(before), Some(text)) = (is_own, &change.before, text)
        && fingerprint(before) == fingerprint(&text)
    {
        now.before = Some(text);
    }
    now
}

/// What is kept of a version that has to make room: id and document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldestVersion {
    /// Its id.
    pub id: String,
    /// Its document.
    pub document: String,
}

/// Whether there is room for the changes.
#[derive(Clone, Debug, Default)]
pub struct Headroom {
    /// What does not fit.
    pub refusals: Vec<Refusal>,
    /// The changed policies whose slots for versions are all taken: by ARN, the oldest version that is not in force.
    pub full: BTreeMap<Arn, OldestVersion>,
}

/// Looks whether there is room for the changes, by the account's own quotas.
pub fn headroom(changes: &[&Change], account: &Account) -> Headroom {
    let mut found = Headroom::default();
    let quotas = Quotas::of(account);
    let slots = quota(account, "VersionsPerPolicyQuota", 5);
    let mut attached: BTreeMap<&str, usize> = BTreeMap::new();
    let mut created = 0;
    for change in changes {
        let mut refuse = |name: &str, detail: String| found.refusals.push(verify::refusal(change, name, &detail));
        let is_managed = change.target.kind == "aws_iam_policy";
        let size = change.after.as_deref().map_or(0, counted_characters);
        let before = change.before.as_deref().map_or(0, counted_characters);
        if is_managed && size > quotas.managed && size >= before {
            refuse("quota", format!("{size} characters are more than PolicySizeQuota ({})", quotas.managed));
        }
        match change.action {
            ChangeAction::Create => created += 1,
            ChangeAction::Attach => {
                *attached.entry(change.target.owner.as_deref().unwrap_or_default()).or_default() += 1
            }
            ChangeAction::Update if is_managed => {
                let policy = account.policy(&change.target.arn);
                let Some(policy) = policy.filter(|policy| policy.versions.len() >= slots) else { continue };
                match oldest(policy) {
                    Some(oldest) => {
                        found.full.insert(policy.arn.clone(), oldest);
                    }
                    None => refuse("version-slots", format!("all {slots} versions are taken, and none can go")),
                }
            }
            _ => {}
        }
    }
    let own = account.policies.iter().filter(|policy| !policy.is_aws_managed()).count();
    let most = quota(account, "PoliciesQuota", 1_500);
    if let (true, Some(first)) = (created > 0 && own + created > most, changes.first()) {
        let detail = format!("{created} further policies are more than PoliciesQuota ({most}) allows");
        found.refusals.push(verify::refusal(first, "quota", &detail));
    }
    for (owner, more) in attached {
        let (has, key) = attachments(account, owner);
        let most = quota(account, key, 10);
        let change = changes.iter().find(|change| change.target.owner.as_deref() == Some(owner));
        if let (true, Some(change)) = (has + more > most, change) {
            let detail = format!("{owner} has {has} managed policies, gets {more} more, and may have {most} ({key})");
            found.refusals.push(verify::refusal(change, "quota", &detail));
        }
    }
    found.refusals.extend(inline(changes, &quotas));
    found
}

fn inline(changes: &[&Change], quotas: &Quotas) -> Vec<Refusal> {
    let mut grown: BTreeMap<&str, i64> = BTreeMap::new();
    let size = |text: &Option<String>| i64::try_from(text.as_deref().map_or(0, counted_characters)).unwrap_or(i64::MAX);
    let is_inline = |change: &&&Change| change.expects.inline_size.is_some();
    for change in changes.iter().filter(is_inline) {
        let owner = change.target.owner.as_deref().unwrap_or_default();
        *grown.entry(owner).or_default() += size(&change.after) - size(&change.before);
    }
    let mut refusals = Vec::new();
    for (owner, grown) in grown {
        let Some(change) = changes.iter().find(|change| change.target.owner.as_deref() == Some(owner)) else {
            continue;
        };
        let quota = match owner.split('/').next() {
            Some("user") => quotas.user,
            Some("group") => quotas.group,
            _ => quotas.role,
        };
        let start = i64::try_from(change.expects.inline_size.unwrap_or(0)).unwrap_or(i64::MAX);
        if grown > 0 && start + grown > i64::try_from(quota).unwrap_or(i64::MAX) {
            let detail = format!("the inline policies of {owner} would have {} characters of {quota}", start + grown);
            refusals.push(verify::refusal(change, "quota", &detail));
        }
    }
    refusals
}

/// The oldest version that is not in force and whose document is known.
fn oldest(policy: &ManagedPolicy) -> Option<OldestVersion> {
    let number = |version: &PolicyVersion| version.id.strip_prefix('v').and_then(|number| number.parse::<u64>().ok());
    let version = (policy.versions.iter())
        .filter(|version| version.id != policy.default_version)
        .min_by_key(|version| (version.created, number(version)))?;
    let document = version.document.as_ref()?.text().to_owned();
    Some(OldestVersion { id: version.id.clone(), document })
}

fn attachments(account: &Account, owner: &str) -> (usize, &'static str) {
    let principal = account.principals.iter().find(|principal| principal.address() == owner);
    if let Some(principal) = principal {
        let key =
            if owner.starts_with("role/") { "AttachedPoliciesPerRoleQuota" } else { "AttachedPoliciesPerUserQuota" };
        return (principal.attached.len(), key);
    }
    let group = account.groups.iter().find(|group| owner.strip_prefix("group/") == Some(&group.name));
    (group.map_or(0, |group| group.attached.len()), "AttachedPoliciesPerGroupQuota")
}

fn quota(account: &Account, name: &str, default: usize) -> usize {
    let own = account.summary.as_ref().and_then(|summary| summary.get(name));
    own.and_then(|quota| usize::try_from(*quota).ok()).unwrap_or(default)
}
