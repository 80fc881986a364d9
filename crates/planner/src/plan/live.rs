//! A plan against the account as it is now: what moved, and what has been used since.

use std::collections::{BTreeMap, BTreeSet};

use secateur_analyzer::account::{Account, ManagedPolicy};
use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::document::fingerprint;
use secateur_analyzer::graph::{Entity, Graph, PrincipalId};

use super::numbering::Numbering;
use super::subject::{self, Subject};
use super::{
    Change, ChangeAction, ExpectedHolder, Expects, Plan, PlanOptions, Refusal, expects, keys, used_since, verify,
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

/// Whether a difference may be what the change, done or taken back in part, has made of the account: its own documents,
/// versions and attachments. Who came to hold something since is never that, nor what somebody else made anew.
pub fn is_of_own_change(change: &Change, refusal: &Refusal) -> bool {
    let is_attach = change.action == ChangeAction::Attach;
    match refusal.name.as_str() {
        "version" | "versions" | "inline-size" | "created" | "access-key" => true,
        "gone" => !is_attach,
        "document" => matches!(change.action, ChangeAction::Update | ChangeAction::Delete),
        // Those who hold it no longer lose nothing.
        "attachments" => is_attach || refusal.detail.ends_with(NO_LONGER),
        "holders" | "memberships" => refusal.detail.ends_with(NO_LONGER),
        _ => false,
    }
}

/// How a difference ends that is the end of something, and not the beginning.
const NO_LONGER: &str = " no longer";

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
            refuse(name, format!("{gone} {verb}{NO_LONGER}"));
        }
    }
    if let Some(detail) = other_group(then.group_id.as_ref(), now.group_id.as_ref()) {
        refuse("recreated", detail);
    }
    // One that has it no longer, or did not have it, is told as an attachment.
    for group in &then.groups {
        let own = now.groups.iter().find(|own| own.arn == group.arn && own.unique_id != group.unique_id);
        if let Some(own) = own {
            let detail =
                format!("{} was deleted and made again: it is {}, and was {}", own.arn, own.unique_id, group.unique_id);
            refuse("recreated", detail);
        }
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
    let refuse = |name: &str, detail: &str| verify::refusal(change, name, detail);
    let Some(entity) = change.target.owner.as_deref().and_then(|owner| find_entity(graph, owner)) else {
        return vec![refuse("gone", "who was to get it is gone")];
    };
    let mut refusals = Vec::new();
    let policy = graph.find(&format!("policy/{}", change.target.name));
    if policy.is_some_and(|policy| graph.attached_to(policy).contains(&entity)) {
        refusals.push(refuse("attachments", "it is attached now, and was not"));
    }
    if let Some(expected) = change.expects.document {
        let document = policy.and_then(|policy| graph.policy(policy)).and_then(|policy| policy.document());
        if document.is_none_or(|document| fingerprint(document.text()) != expected) {
            refusals.push(refuse("document", "the policy is no longer what it was"));
        }
    }
    if let Some(detail) = other_group(change.expects.group_id.as_ref(), expects::group_id(graph, entity).as_ref()) {
        refusals.push(refuse("recreated", &detail));
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
    // Whoever came is named before whoever went.
    if let Some((arn, unique_id)) = now.difference(&then).chain(then.difference(&now)).next() {
        let detail = format!("those whom it reaches are not those who were to get it: {arn} ({unique_id})");
        refusals.push(refuse("holders", &detail));
    }
    refusals
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
    let everybody = (0..live.inputs().account.principals.len()).map(PrincipalId);
    let numbering = Numbering::new(live, everybody);
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
            let refusal = used_since::told(refusal, plan, &[change], (live, options));
            withheld.entry(change.unit().to_owned()).or_insert(refusal);
        }
    }
    for (unit, changes) in groups {
        let changes: Vec<&Change> = changes.iter().collect();
        if let Err(refusal) = verify_group::prove_again(&changes, live, options, &numbering) {
            let refusal = used_since::told(refusal, plan, &changes, (live, options));
            withheld.entry(unit.to_owned()).or_insert(refusal);
        }
    }
    withheld
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
