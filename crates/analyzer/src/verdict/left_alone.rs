//! What secateur never changes, whatever its use.

use std::fmt;
use std::sync::Arc;

use crate::account::{Account, DocumentState, ManagedPolicy, Principal, PrincipalKind, Tag};
use crate::graph::{Entity, Graph, PolicyId, PolicyRef, PrincipalId};
use crate::rules::Rules;
use crate::wildcard;

/// Why something is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftAlone {
    /// Only the service can change a service-linked role
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html>).
    ServiceLinkedRole,
    /// Roles under `/aws-reserved/` are changed by AWS only; for Identity Center, change the permission set.
    ReservedRole,
    /// It is of another account than the snapshot.
    OtherAccount,
    /// AWS counts more attachments than the snapshot has: somebody holds the policy who is not known.
    HoldersMissing {
        /// How many attachments AWS counts.
        counted: i64,
        /// How many the snapshot has.
        found: usize,
    },
    /// Another policy has the same address, or the name is none that IAM takes.
    AmbiguousName,
    /// The principal that collected: secateur does not cut the branch it sits on.
    Caller,
    /// A role that an AWS service finds by its name; the glob that it matches.
    KnownName(&'static str),
    /// A ceiling, not a grant: usage says nothing about it
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>).
    PermissionsBoundary,
    /// The document has duplicate or unknown keys; what they are, and where.
    Irregular(Arc<str>),
    /// The document cannot be read; why.
    Unreadable(Arc<str>),
    /// The document is not in the snapshot.
    NotCollected,
    /// The tags of others are in the snapshot, and its own are not, or not all of them: nothing tells who owns it.
    TagsNotCollected,
    /// The policy is written elsewhere: change it there.
    Owned(Owner),
    /// The statement's Sid begins with `SecateurKeep`.
    Statement(Arc<str>),
}

/// Who owns a policy that must be changed at its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A CloudFormation stack, the CDK's included.
    CloudFormation(Arc<str>),
    /// Terraform, by tag.
    Terraform(Arc<str>),
    /// A `[[source]]` rule; its file.
    Source(Arc<str>),
}

impl Owner {
    /// Returns the owner as plans spell it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Owner::CloudFormation(_) => "cloudformation",
            Owner::Terraform(_) => "terraform",
            Owner::Source(_) => "source",
        }
    }
}

impl fmt::Display for LeftAlone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LeftAlone::ServiceLinkedRole => f.write_str("a service-linked role, which only its service can change"),
            LeftAlone::ReservedRole => {
                f.write_str("a role that AWS reserves; for Identity Center, change the permission set instead")
            }
            LeftAlone::AmbiguousName => f.write_str("its name is another policy's too, or none that IAM takes"),
            LeftAlone::OtherAccount => f.write_str("of another account than the snapshot"),
            LeftAlone::HoldersMissing { counted, found } => write!(
                f,
                "AWS counts {counted} attachments and the snapshot has {found}: collect it whole, without --filter"
            ),
            LeftAlone::Caller => f.write_str("the principal that collected the snapshot"),
            LeftAlone::KnownName(glob) => write!(f, "a role that AWS services rely on by its name ({glob})"),
            LeftAlone::PermissionsBoundary => {
                f.write_str("used as a permissions boundary, which usage says nothing about")
            }
            LeftAlone::Irregular(what) => write!(f, "{what}: rewrite the document by hand first"),
            LeftAlone::Unreadable(why) => write!(f, "the document cannot be read: {why}"),
            LeftAlone::NotCollected => f.write_str("the document in force is not in the snapshot"),
            LeftAlone::TagsNotCollected => f.write_str(
                "its tags, which would tell who owns it, are not in the snapshot, or not all of them: collect again",
            ),
            LeftAlone::Owned(Owner::CloudFormation(stack)) => {
                write!(f, "owned by CloudFormation ({stack}): change the stack's template instead")
            }
            LeftAlone::Owned(Owner::Terraform(tag)) => {
                write!(f, "owned by Terraform (tag {tag}): change the configuration instead")
            }
            LeftAlone::Owned(Owner::Source(file)) => write!(f, "written in {file}: change it there instead"),
            LeftAlone::Statement(sid) => write!(f, "statement {sid}"),
        }
    }
}

/// Roles that AWS services find by their name; editing them breaks Control Tower, StackSets, or the next deployment.
const KNOWN_NAMES: [&str; 6] = [
    "OrganizationAccountAccessRole",
    "AWSControlTowerExecution",
    "aws-controltower-*",
    "stacksets-exec-*",
    "AWSCloudFormationStackSetExecutionRole",
    "cdk-*-cfn-exec-role*",
];

/// The prefix of Sids of statements that are left alone.
pub(crate) const KEEP_SID: &str = "SecateurKeep";

/// Returns why the principal, with all its own policies, is left alone; it stays a holder, and blocks.
pub fn left_alone_principal(account: &Account, principal: &Principal) -> Option<LeftAlone> {
    let is_below =
        |path: &str| principal.path.starts_with(path) || principal.arn.resource().starts_with(&format!("role{path}"));
    if is_below("/aws-service-role/") {
        return Some(LeftAlone::ServiceLinkedRole);
    }
    if is_below("/aws-reserved/") || principal.name.starts_with("AWSReservedSSO_") {
        return Some(LeftAlone::ReservedRole);
    }
    if principal.arn.account() != account.id {
        return Some(LeftAlone::OtherAccount);
    }
    if is_caller(account, principal) {
        return Some(LeftAlone::Caller);
    }
    if principal.kind == PrincipalKind::Role
        && let Some(glob) = KNOWN_NAMES.iter().find(|glob| wildcard::matches_ignore_case(glob, &principal.name))
    {
        return Some(LeftAlone::KnownName(glob));
    }
    None
}

/// Whether the snapshot was collected as this principal. The ARN of an assumed role has the role's name without its path.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>.
fn is_caller(account: &Account, principal: &Principal) -> bool {
    let Some(caller) = &account.caller_arn else { return false };
    if caller.service() == "sts" && caller.resource_type() == "assumed-role" {
        let role = caller.resource().split('/').nth(1).unwrap_or_default();
        return principal.kind == PrincipalKind::Role && principal.name.eq_ignore_ascii_case(role);
    }
    *caller == principal.arn
}

/// Returns why the policy is left alone, whoever holds it.
pub fn left_alone_policy(graph: &Graph<'_>, id: PolicyId, boundaries: &[PolicyId], rules: &Rules) -> Option<LeftAlone> {
    let account = graph.account();
    let policy = graph.policy(id)?;
    if boundaries.contains(&id) || policy.managed().is_some_and(|managed| managed.boundary_count.unwrap_or(0) > 0) {
        return Some(LeftAlone::PermissionsBoundary);
    }
    if let Some(managed) = policy.managed().filter(|managed| !managed.is_aws_managed()) {
        if managed.path.starts_with("/aws-reserved/") {
            return Some(LeftAlone::ReservedRole);
        }
        if managed.arn.account() != account.id {
            return Some(LeftAlone::OtherAccount);
        }
        let found = graph.attached_to(id).len();
        let counted = managed.attachment_count.unwrap_or(0);
        if usize::try_from(counted).is_ok_and(|counted| counted > found) {
            return Some(LeftAlone::HoldersMissing { counted, found });
        }
    }
    if let PolicyRef::Inline(Entity::Group(at), _) = policy
        && account.groups.get(at).is_some_and(|group| group.arn.account() != account.id)
    {
        return Some(LeftAlone::OtherAccount);
    }
    match policy.document() {
        None => return Some(LeftAlone::NotCollected),
        Some(document) => match document.state() {
            DocumentState::Regular(_) => {}
            DocumentState::Irregular(parsed) => {
                let what: Vec<String> = parsed.irregularities.iter().map(ToString::to_string).collect();
                return Some(LeftAlone::Irregular(what.join(", ").into()));
            }
            DocumentState::Unreadable(error) => return Some(LeftAlone::Unreadable(error.to_string().into())),
        },
    }
    if let Some(source) = rules.source_of(graph.address(id)) {
        return Some(LeftAlone::Owned(Owner::Source(source.file.as_str().into())));
    }
    let tags = match policy {
        PolicyRef::Managed(managed) => match &managed.tags {
            None if !managed.is_aws_managed() && account.policies.iter().any(has_tags) => {
                return Some(LeftAlone::TagsNotCollected);
            }
            Some(tags) if managed.tags_lack_pages && owner_by_tags(tags).is_none() => {
                return Some(LeftAlone::TagsNotCollected);
            }
            tags => tags.as_deref().unwrap_or_default(),
        },
        PolicyRef::Inline(Entity::Principal(PrincipalId(at)), _) => {
            account.principals.get(at).map_or(&[][..], |principal| &principal.tags)
        }
        PolicyRef::Inline(Entity::Group(_), _) => &[],
    };
    owner_by_tags(tags).map(LeftAlone::Owned)
}

/// Whether the tags of this policy were collected, which AWS tells of no others with.
fn has_tags(policy: &ManagedPolicy) -> bool {
    !policy.is_aws_managed() && policy.tags.is_some()
}

/// Returns who owns what bears these tags.
///
/// CloudFormation's tags have a reserved prefix
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html>); Terraform has only
/// conventions: a tag of the name `terraform`, or one such as `ManagedBy` with a value that begins with `terraform`.
pub fn owner_by_tags(tags: &[Tag]) -> Option<Owner> {
    let stack = |key: &str| tags.iter().find(|tag| tag.key == key);
    if let Some(tag) = stack("aws:cloudformation:stack-name").or_else(|| stack("aws:cloudformation:stack-id")) {
        return Some(Owner::CloudFormation(tag.value.as_str().into()));
    }
    if let Some(tag) = tags.iter().find(|tag| tag.key.starts_with("aws:cloudformation:")) {
        return Some(Owner::CloudFormation(tag.value.as_str().into()));
    }
    tags.iter()
        .find(|tag| is_terraform_tag(tag))
        .map(|tag| Owner::Terraform(format!("{}={}", tag.key, tag.value).into()))
}

fn is_terraform_tag(tag: &Tag) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let (key, value) = (plain(&tag.key), plain(&tag.value));
    let managers =
        ["managed", "provision", "createdby", "deployed", "owner", "source", "iac", "tool", "automation", "origin"];
    let names_a_manager = managers.iter().any(|word| key.contains(word));
    let is_terraform = |text: &str| text.contains("terraform") || text.contains("opentofu");
    (is_terraform(&key) && !matches!(value.as_str(), "false" | "no" | "0"))
        || (names_a_manager && (is_terraform(&value) || value == "tf"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::sketch::{Sketch, arn};

    #[test]
    fn principals_that_are_left_alone() {
        let check = |address: &str, path: &str, caller: &str, expect: Option<LeftAlone>| {
            let mut account =
                Sketch::new().principal(address).change(address, |role| role.path = path.to_owned()).build();
            account.caller_arn = caller.parse().ok();
            assert_eq!(left_alone_principal(&account, &account.principals[0]), expect, "{address} {path}");
        };
        check("role/ci", "/", "", None);
        check("role/x", "/aws-service-role/ecs.amazonaws.com/", "", Some(LeftAlone::ServiceLinkedRole));
        check("role/x", "/aws-reserved/sso.amazonaws.com/", "", Some(LeftAlone::ReservedRole));
        check("role/AWSReservedSSO_Admin_0123456789abcdef", "/", "", Some(LeftAlone::ReservedRole));
        check("role/ci", "/jobs/", "arn:aws:sts::111122223333:assumed-role/ci/session", Some(LeftAlone::Caller));
        check("role/other", "/", "arn:aws:sts::111122223333:assumed-role/ci/session", None);
        check("user/ann", "/", arn("user/ann").unwrap().as_str(), Some(LeftAlone::Caller));
        check(
            "role/cdk-hnb659fds-cfn-exec-role-1-eu-west-1",
            "/",
            "",
            Some(LeftAlone::KnownName("cdk-*-cfn-exec-role*")),
        );
        check("user/stacksets-exec-x", "/", "", None);
    }

    #[test]
    fn owners_by_tags() {
        let check = |key: &str, value: &str, expect: Option<&str>| {
            let tags = [Tag { key: "team".into(), value: "x".into() }, Tag { key: key.into(), value: value.into() }];
            assert_eq!(owner_by_tags(&tags).map(|owner| owner.as_str()), expect, "{key}={value}");
        };
        check("aws:cloudformation:stack-name", "web", Some("cloudformation"));
        check("aws:cloudformation:logical-id", "Role", Some("cloudformation"));
        check("Terraform", "true", Some("terraform"));
        check("terraform", "false", None);
        check("ManagedBy", "Terraform", Some("terraform"));
        check("managed-by", "terraform-cloud", Some("terraform"));
        check("Name", "terraform-runner", None);
        check("tool", "terraform", Some("terraform"));
        check("ManagedBy", "tf", Some("terraform"));
        check("managed by", "HashiCorp Terraform", Some("terraform"));
    }
}
