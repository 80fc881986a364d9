//! The reads, by collector.

use secateur_analyzer::arn::Arn;
use secateur_collector::live::{Bearer, Live, Named};

use super::{Cloud, call_error};
use crate::apply::cloud::{CallError, EntityKind, EntityRef, LiveEntity, LiveKey, LivePolicy, Reads};

fn bearer(entity: &EntityRef) -> Bearer<'_> {
    match entity.kind {
        EntityKind::User => Bearer::User(&entity.name),
        EntityKind::Role => Bearer::Role(&entity.name),
        EntityKind::Group => Bearer::Group(&entity.name),
    }
}

fn live(kind: EntityKind) -> impl Fn(Named) -> LiveEntity {
    move |named| LiveEntity { entity: EntityRef { kind, name: named.name }, unique_id: named.unique_id }
}

impl Cloud {
    fn live(&self) -> Live<'_> {
        Live::new(&self.session)
    }
}

impl Reads for Cloud {
    fn entity(&self, entity: &EntityRef) -> Result<Option<String>, CallError> {
        self.wait(self.live().unique_id(bearer(entity))).map_err(|error| call_error(&error))
    }

    fn members(&self, group: &str) -> Result<Vec<LiveEntity>, CallError> {
        let members = self.wait(self.live().members(group)).map_err(|error| call_error(&error))?;
        Ok(members.into_iter().map(live(EntityKind::User)).collect())
    }

    fn inline(&self, entity: &EntityRef, policy: &str) -> Result<Option<String>, CallError> {
        self.wait(self.live().inline(bearer(entity), policy)).map_err(|error| call_error(&error))
    }

    fn attached(&self, entity: &EntityRef) -> Result<Option<Vec<Arn>>, CallError> {
        let attached = self.wait(self.live().attached(bearer(entity))).map_err(|error| call_error(&error))?;
        let Some(attached) = attached else { return Ok(None) };
        let arns: Result<Vec<Arn>, _> = attached.iter().map(|arn| arn.parse()).collect();
        arns.map(Some).map_err(|error| CallError::Ambiguous(error.to_string()))
    }

    fn policy(&self, policy: &Arn) -> Result<Option<LivePolicy>, CallError> {
        let managed = self.wait(self.live().managed(policy.as_str())).map_err(|error| call_error(&error))?;
        Ok(managed.map(|managed| LivePolicy {
            unique_id: managed.unique_id,
            default_version: managed.default_version,
            versions: managed.versions,
            boundary_count: managed.boundary_count,
        }))
    }

    fn attached_to(&self, policy: &Arn) -> Result<Vec<LiveEntity>, CallError> {
        let all = self.wait(self.live().attachments(policy.as_str())).map_err(|error| call_error(&error))?;
        let users = all.users.into_iter().map(live(EntityKind::User));
        let roles = all.roles.into_iter().map(live(EntityKind::Role));
        Ok(users.chain(roles).chain(all.groups.into_iter().map(live(EntityKind::Group))).collect())
    }

    fn version(&self, policy: &Arn, version: &str) -> Result<Option<String>, CallError> {
        self.wait(self.live().version(policy.as_str(), version)).map_err(|error| call_error(&error))
    }

    fn key(&self, user: &str, key: &str) -> Result<Option<LiveKey>, CallError> {
        let key = self.wait(self.live().key(user, key)).map_err(|error| call_error(&error))?;
        Ok(key.map(|key| LiveKey { status: key.status, created: key.created }))
    }

    fn attachments_quota(&self, kind: EntityKind) -> Result<Option<usize>, CallError> {
        let name = match kind {
            EntityKind::User => "AttachedPoliciesPerUserQuota",
            EntityKind::Role => "AttachedPoliciesPerRoleQuota",
            EntityKind::Group => "AttachedPoliciesPerGroupQuota",
        };
        let quota = self.wait(self.live().in_summary(name)).map_err(|error| call_error(&error))?;
        Ok(quota.and_then(|quota| usize::try_from(quota).ok()))
    }
}
