//! What must be found when a change is applied.

use secateur_analyzer::document::fingerprint;
use secateur_analyzer::graph::{Entity, Graph, Holder, Path, PolicyId, PolicyRef};

use super::subject::Subject;
use super::{ExpectedHolder, Expects, fit};

/// Returns what the change rests on: the document, everyone who holds it, and how.
pub(super) fn expects(graph: &Graph<'_>, subject: &Subject<'_>) -> Expects {
    let account = graph.account();
    // A detach concerns those whom this attachment reaches; the others' are changes of their own.
    let all = match subject.entity {
        None => graph.holders(subject.policy),
        Some(entity) => super::subject::reached(graph, subject.policy, entity),
    };
    let reaches = |holder: &Holder, path: &Path| {
        subject.entity.is_none_or(|entity| super::subject::entity_of(holder, path) == entity)
    };
    let (holders, memberships) = holders(graph, &all, reaches);
    let policy = graph.policy(subject.policy);
    let managed = policy.and_then(|policy| policy.managed());
    let mut attachments: Vec<String> = match managed {
        Some(_) => match subject.entity {
            None => graph.attached_to(subject.policy).into_iter().map(|entity| graph.entity_address(entity)).collect(),
            Some(entity) => vec![graph.entity_address(entity)],
        },
        None => Vec::new(),
    };
    attachments.sort();
    let groups = match (managed, subject.entity) {
        (Some(_), None) => groups(graph, subject.policy),
        _ => Vec::new(),
    };
    let boundary_use =
        managed.is_some_and(|managed| managed.boundary_count.unwrap_or(0) > 0 || graph.is_boundary(&managed.arn));
    Expects {
        document: Some(fingerprint(subject.before)),
        holders,
        memberships,
        attachments,
        groups,
        boundary_use,
        versions: managed
            .map(|managed| managed.versions.iter().map(|version| version.id.clone()).collect())
            .unwrap_or_default(),
        inline_size: match policy {
            Some(PolicyRef::Inline(entity, _)) => Some(fit::inline_size(account, entity)),
            _ => None,
        },
        group_id: subject.entity.and_then(|entity| group_id(graph, entity)),
        access_key: None,
    }
}

/// The groups that a policy is attached to: one that is deleted and made again has another id.
fn groups(graph: &Graph<'_>, policy: PolicyId) -> Vec<ExpectedHolder> {
    let own = graph.attached_to(policy).into_iter().filter_map(|entity| match entity {
        Entity::Group(group) => graph.account().groups.get(group),
        Entity::Principal(_) => None,
    });
    let mut groups: Vec<ExpectedHolder> =
        own.map(|group| ExpectedHolder { arn: group.arn.clone(), unique_id: group.unique_id.clone() }).collect();
    groups.sort_by(|a, b| a.arn.as_str().cmp(b.arn.as_str()));
    groups
}

/// The unique id of a group; none for a principal, which is a holder itself.
pub(super) fn group_id(graph: &Graph<'_>, entity: Entity) -> Option<String> {
    match entity {
        Entity::Group(group) => graph.account().groups.get(group).map(|group| group.unique_id.clone()),
        Entity::Principal(_) => None,
    }
}

/// The holders as they must be found, and the memberships that `counts` by which they hold the policy.
pub(super) fn holders(
    graph: &Graph<'_>,
    all: &[Holder],
    counts: impl Fn(&Holder, &Path) -> bool,
) -> (Vec<ExpectedHolder>, Vec<String>) {
    let mut holders = Vec::new();
    let mut memberships = Vec::new();
    for holder in all {
        let Some(principal) = graph.account().principals.get(holder.principal.0) else { continue };
        holders.push(ExpectedHolder { arn: principal.arn.clone(), unique_id: principal.unique_id.clone() });
        let who = graph.entity_address(Entity::Principal(holder.principal));
        memberships.extend(holder.paths.iter().filter(|path| counts(holder, path)).filter_map(|path| match path {
            Path::Direct => None,
            Path::Group(group) => Some(format!("{who} in {}", graph.entity_address(Entity::Group(*group)))),
        }));
    }
    memberships.sort();
    (holders, memberships)
}
