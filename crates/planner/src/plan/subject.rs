//! What a change is about: a document, or an attachment.

use secateur_analyzer::arn::Arn;
use secateur_analyzer::graph::{Entity, Graph, Holder, Path, PolicyId, PolicyRef};
use secateur_analyzer::verdict::{LeftAlone, Owner, owner_by_tags};

use super::draft::Draft;
use super::{ChangeAction, Target, Withheld};
use crate::rewrite::Outcome;

/// What one change is about, where a policy of the account changes or loses an attachment.
#[derive(Clone, Debug)]
pub(super) struct Subject<'a> {
    pub policy: PolicyId,
    pub action: ChangeAction,
    /// The entity that a managed policy is detached from.
    pub entity: Option<Entity>,
    pub before: &'a str,
    pub after: Option<&'a str>,
}

/// The subjects of a draft without further policies: one document, or the attachments that go.
pub(super) fn subjects<'d>(graph: &Graph<'_>, draft: &'d Draft<'_>) -> Vec<Subject<'d>> {
    let subject =
        |action, entity, after| Subject { policy: draft.policy, action, entity, before: draft.document.text(), after };
    let is_managed = graph.policy(draft.policy).is_some_and(|policy| policy.managed().is_some());
    match (&draft.rewritten.outcome, &draft.through) {
        (Outcome::Unchanged, _) => Vec::new(),
        (Outcome::Changed(text), _) => vec![subject(ChangeAction::Update, None, Some(text.as_str()))],
        (Outcome::Empty, Some(through)) => {
            through.iter().map(|entity| subject(ChangeAction::Detach, Some(*entity), None)).collect()
        }
        (Outcome::Empty, None) if is_managed => graph
            .attached_to(draft.policy)
            .into_iter()
            // Nobody loses anything by an empty group, and nothing shows that its members-to-be would not.
            .filter(|entity| !reached(graph, draft.policy, *entity).is_empty())
            .filter(|entity| owner(graph, *entity).is_none())
            .map(|entity| subject(ChangeAction::Detach, Some(entity), None))
            .collect(),
        (Outcome::Empty, None) => vec![subject(ChangeAction::Delete, None, None)],
    }
}

/// Who writes down what is attached to the entity, if its tags say so: the attachment is changed there.
pub(super) fn owner(graph: &Graph<'_>, entity: Entity) -> Option<Owner> {
    match entity {
        Entity::Principal(id) => {
            graph.account().principals.get(id.0).and_then(|principal| owner_by_tags(&principal.tags))
        }
        Entity::Group(_) => None,
    }
}

/// The ARN that a new policy will have: those of plans are at the root.
pub(super) fn root_arn(graph: &Graph<'_>, name: &str) -> Option<Arn> {
    let account = graph.account();
    format!("arn:{}:iam::{}:policy/{name}", account.partition, account.id).parse().ok()
}

/// The attachments of a policy of which nothing is left that somebody else writes down.
pub(super) fn owned_attachments(graph: &Graph<'_>, draft: &Draft<'_>) -> Vec<Withheld> {
    if draft.rewritten.outcome != Outcome::Empty
        || graph.policy(draft.policy).is_none_or(|policy| policy.managed().is_none())
    {
        return Vec::new();
    }
    let attached = graph.attached_to(draft.policy).into_iter();
    attached
        .filter_map(|entity| {
            Some(Withheld {
                address: attachment_address(graph, draft.policy, entity),
                reason: "left-alone".to_owned(),
                detail: LeftAlone::Owned(owner(graph, entity)?).to_string(),
            })
        })
        .collect()
}

/// The holders that have the policy by this attachment.
pub(super) fn reached(graph: &Graph<'_>, policy: PolicyId, entity: Entity) -> Vec<Holder> {
    let (principals, path) = match entity {
        Entity::Principal(principal) => (vec![principal], Path::Direct),
        Entity::Group(group) => (graph.members(group), Path::Group(group)),
    };
    let holders = principals.into_iter().filter_map(|principal| graph.holder(policy, principal));
    holders.filter(|holder| holder.paths.contains(&path)).collect()
}

/// The entity by whose attachment a holder has a managed policy.
pub(super) fn entity_of(holder: &Holder, path: &Path) -> Entity {
    match path {
        Path::Direct => Entity::Principal(holder.principal),
        Path::Group(group) => Entity::Group(*group),
    }
}

/// Returns `role/NAME/attached/POLICY`.
pub(super) fn attachment_address(graph: &Graph<'_>, policy: PolicyId, entity: Entity) -> String {
    let policy = graph.address(policy);
    let name = policy.strip_prefix("policy/").unwrap_or(policy);
    format!("{}/attached/{name}", graph.entity_address(entity))
}

pub(super) fn address(graph: &Graph<'_>, subject: &Subject<'_>) -> String {
    match subject.entity {
        None => graph.address(subject.policy).to_owned(),
        Some(entity) => attachment_address(graph, subject.policy, entity),
    }
}

/// Finds what a plan's address is about.
pub(super) fn find(graph: &Graph<'_>, address: &str) -> Option<(PolicyId, Option<Entity>)> {
    match address.split_once("/attached/") {
        Some((owner, name)) => {
            let policy = graph.find(&format!("policy/{name}"))?;
            let entity = graph.attached_to(policy).into_iter().find(|entity| graph.entity_address(*entity) == owner)?;
            Some((policy, Some(entity)))
        }
        None => graph.find(address).map(|policy| (policy, None)),
    }
}

/// Who bears an inline policy or an attachment: its ARN, its unique id, and `user`, `role` or `group`.
pub(super) fn bearer(graph: &Graph<'_>, entity: Entity) -> Option<(Arn, String, &'static str)> {
    let account = graph.account();
    Some(match entity {
        Entity::Principal(id) => {
            let principal = account.principals.get(id.0)?;
            (principal.arn.clone(), principal.unique_id.clone(), principal.kind.as_str())
        }
        Entity::Group(at) => {
            let group = account.groups.get(at)?;
            (group.arn.clone(), group.unique_id.clone(), "group")
        }
    })
}

pub(super) fn target(graph: &Graph<'_>, subject: &Subject<'_>) -> Option<Target> {
    match graph.policy(subject.policy)? {
        PolicyRef::Inline(entity, policy) => {
            let (arn, unique_id, kind) = bearer(graph, entity)?;
            Some(Target {
                kind: format!("aws_iam_{kind}_policy"),
                arn,
                name: policy.name.clone(),
                unique_id,
                owner: Some(graph.entity_address(entity)),
                default_version: None,
                versions: Vec::new(),
            })
        }
        PolicyRef::Managed(policy) => {
            let kind = match subject.entity {
                None => "aws_iam_policy".to_owned(),
                Some(entity) => format!("aws_iam_{}_policy_attachment", bearer(graph, entity)?.2),
            };
            Some(Target {
                kind,
                arn: policy.arn.clone(),
                name: policy.name.clone(),
                unique_id: policy.unique_id.clone(),
                owner: subject.entity.map(|entity| graph.entity_address(entity)),
                default_version: Some(policy.default_version.clone()),
                versions: policy.versions.iter().map(|version| version.id.clone()).collect(),
            })
        }
    }
}
