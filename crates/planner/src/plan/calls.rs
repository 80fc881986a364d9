//! The AWS calls of a change, for readers: apply derives them anew.

use std::collections::BTreeMap;

use secateur_analyzer::arn::Arn;
use secateur_analyzer::graph::{Entity, Graph, PolicyRef};

use super::subject::Subject;
use super::{Call, ChangeAction, Target};

/// Returns the calls that make the change, and those that undo it.
pub(super) fn calls(graph: &Graph<'_>, subject: &Subject<'_>, target: &Target) -> (Vec<Call>, Vec<Call>) {
    match (graph.policy(subject.policy), subject.entity) {
        (Some(PolicyRef::Inline(entity, policy)), _) => {
            let kind = kind(graph, entity);
            let name = entity_name(graph, entity);
            let put = |document: &str| {
                let parameters = [
                    (format!("{kind}Name"), name.clone()),
                    pair("PolicyName", &policy.name),
                    pair("PolicyDocument", document),
                ];
                call(&format!("iam:Put{kind}Policy"), parameters)
            };
            let delete = call(
                &format!("iam:Delete{kind}Policy"),
                [(format!("{kind}Name"), name.clone()), pair("PolicyName", &policy.name)],
            );
            let forward = if subject.action == ChangeAction::Delete { delete } else { put("@after") };
            (vec![forward], vec![put("@before")])
        }
        (Some(PolicyRef::Managed(policy)), Some(entity)) => {
            let (attach, detach) = attach(graph, entity, &policy.arn);
            (detach, attach)
        }
        (Some(PolicyRef::Managed(policy)), None) => {
            let arn = || pair("PolicyArn", policy.arn.as_str());
            let old = target.default_version.as_deref().unwrap_or_default();
            let forward = vec![
                call(
                    "iam:CreatePolicyVersion",
                    [arn(), pair("PolicyDocument", "@after"), pair("SetAsDefault", "false")],
                ),
                call("iam:ListPolicyVersions", [arn()]),
                call("iam:SetDefaultPolicyVersion", [arn(), pair("VersionId", "@new")]),
            ];
            let inverse = vec![
                call("iam:SetDefaultPolicyVersion", [arn(), pair("VersionId", old)]),
                call("iam:DeletePolicyVersion", [arn(), pair("VersionId", "@new")]),
            ];
            (forward, inverse)
        }
        (None, _) => (Vec::new(), Vec::new()),
    }
}

/// The call that creates a managed policy of the plan, and the one that undoes it.
pub(super) fn create(name: &str, arn: &Arn) -> (Vec<Call>, Vec<Call>) {
    let forward = call("iam:CreatePolicy", [pair("PolicyName", name), pair("PolicyDocument", "@after")]);
    (vec![forward], vec![call("iam:DeletePolicy", [pair("PolicyArn", arn.as_str())])])
}

/// The call that attaches a managed policy to an entity, and the one that undoes it.
pub(super) fn attach(graph: &Graph<'_>, entity: Entity, arn: &Arn) -> (Vec<Call>, Vec<Call>) {
    let kind = kind(graph, entity);
    let attachment = |verb: &str| {
        let parameters = [(format!("{kind}Name"), entity_name(graph, entity)), pair("PolicyArn", arn.as_str())];
        call(&format!("iam:{verb}{kind}Policy"), parameters)
    };
    (vec![attachment("Attach")], vec![attachment("Detach")])
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn call(operation: &str, parameters: impl IntoIterator<Item = (String, String)>) -> Call {
    Call { operation: operation.to_owned(), parameters: BTreeMap::from_iter(parameters) }
}

/// `User`, `Role` or `Group`, as AWS's operations spell it.
fn kind(graph: &Graph<'_>, entity: Entity) -> &'static str {
    let address = graph.entity_address(entity);
    match address.split('/').next() {
        Some("user") => "User",
        Some("group") => "Group",
        _ => "Role",
    }
}

fn entity_name(graph: &Graph<'_>, entity: Entity) -> String {
    graph.entity_address(entity).split_once('/').map(|(_, name)| name.to_owned()).unwrap_or_default()
}
