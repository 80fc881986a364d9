//! What is kept although it looks unused, because a report may not see its use.

use std::fmt;
use std::sync::Arc;

use crate::account::{Document, Principal, PrincipalKind};
use crate::action::ActionPattern;
use crate::catalog::{ActionId, ActionSet, Catalog};
use crate::time::UnixTime;

/// Why an action is kept although it may be unused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// `iam:PassRole` is a permission and no API call: its use is never recorded. See
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>.
    PassRole,
    /// AWS checks it on the way of another action that stays; that action.
    Related(Arc<str>),
    /// Services call KMS on the principal's behalf, and the principal uses other services.
    KmsViaService,
    /// The service that runs under the role may perform it; the service principal.
    Runtime(Arc<str>),
    /// An access key was used for the service, and the report does not show it.
    KeyUse {
        /// The service, as AWS names it beside the key.
        service: Arc<str>,
        /// When.
        time: UnixTime,
    },
    /// A `[[keep]]` rule, by its place in the file.
    KeepRule(usize),
    /// A `[[keep]]` rule that expired less than 14 days ago.
    ExpiredKeepRule(usize),
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Protection::PassRole => f.write_str("the use of iam:PassRole is never recorded"),
            Protection::Related(action) => write!(f, "AWS checks it within {action}, which stays"),
            Protection::KmsViaService => f.write_str("services in use may call KMS on the principal's behalf"),
            Protection::Runtime(service) => write!(f, "{service} may perform it with the role it runs under"),
            Protection::KeyUse { service, time } => {
                write!(f, "an access key was used for {service} at {time}, which the report does not show")
            }
            Protection::KeepRule(_) => f.write_str("a keep rule"),
            Protection::ExpiredKeepRule(_) => f.write_str("a keep rule that has just expired"),
        }
    }
}

/// The KMS actions that services call on a principal's behalf. See
/// <https://docs.aws.amazon.com/kms/latest/developerguide/services.html>.
const KMS_DATA_PLANE: [&str; 6] =
    ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:CreateGrant", "kms:DescribeKey"];

/// Returns the KMS actions that services call on a principal's behalf.
pub(super) fn kms_data_plane(catalog: &Catalog) -> &ActionSet {
    catalog.kms_data_plane(|| {
        let mut set = catalog.empty_set();
        for pattern in KMS_DATA_PLANE {
            set.union_with(&catalog.matches(&ActionPattern::new(pattern)));
        }
        set
    })
}

/// Returns the actions that the services trusted by a role may perform with it, and for each the service.
///
/// A trust policy that cannot be read, or that does not name its services, may trust any.
pub(super) fn runtime_actions(catalog: &Catalog, principal: &Principal) -> Vec<(ActionId, Arc<str>)> {
    if principal.kind == PrincipalKind::User {
        return Vec::new();
    }
    let runtime = catalog.runtime();
    let mut found: Vec<(ActionId, Arc<str>)> = Vec::new();
    match principal.trust.as_ref().and_then(Document::policy) {
        None => found.extend(runtime.all().map(|id| (id, Arc::from("a service that the trust policy may name")))),
        Some(policy) => {
            for statement in &policy.statements {
                for service in &statement.service_principals {
                    let name: Arc<str> = service.as_str().into();
                    found.extend(runtime.of(service).iter().map(|&id| (id, Arc::clone(&name))));
                }
                if statement.open_principal {
                    found.extend(runtime.all().map(|id| (id, Arc::from("any service"))));
                }
            }
        }
    }
    found.sort();
    found.dedup_by_key(|(id, _)| *id);
    found
}

/// Returns what AWS checks on the way of the actions in `kept`, transitively, each with the action that needs it.
pub(super) fn related_to(catalog: &Catalog, kept: &ActionSet) -> Vec<(ActionId, ActionId)> {
    let mut reached = catalog.empty_set();
    let mut open: Vec<ActionId> = kept.iter().collect();
    let mut found = Vec::new();
    while let Some(id) = open.pop() {
        for &related in catalog.related(id) {
            // One that stays in some policy itself is found too: it may be removable in another.
            if reached.insert(related) {
                found.push((related, id));
                if !kept.contains(related) {
                    open.push(related);
                }
            }
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_are_followed_transitively() {
        let catalog = Catalog::embedded();
        let mut kept = catalog.empty_set();
        kept.insert(catalog.parse_action("access-analyzer:StartPolicyGeneration").unwrap());
        let found: Vec<String> = related_to(catalog, &kept).iter().map(|(id, _)| catalog.full_name(*id)).collect();
        assert!(found.contains(&"iam:PassRole".to_owned()), "{found:?}");
        // iam:PassRole has relations of its own.
        assert!(found.contains(&"apigateway:POST".to_owned()), "{found:?}");
    }

    #[test]
    fn the_kms_data_plane() {
        let catalog = Catalog::embedded();
        let names: Vec<&str> = kms_data_plane(catalog).iter().map(|id| catalog.name(id)).collect();
        assert!(names.contains(&"ReEncryptFrom") && names.contains(&"GenerateDataKeyWithoutPlaintext"), "{names:?}");
        assert!(!names.contains(&"ListKeys") && !names.contains(&"ScheduleKeyDeletion"), "{names:?}");
    }
}
