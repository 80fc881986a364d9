//! Users, groups, roles and managed policies by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::entity::Entity;
use super::kind::Kind;
use super::policy::Policy;
use super::quotas::Quotas;
use crate::emulator::wire::Error;

/// What IAM holds of an account. Cheap to copy: entities are shared until they change.
#[derive(Clone, Debug)]
pub struct Account {
    /// The twelve digits.
    pub id: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// Quotas, and counts of what is not held here.
    pub quotas: Quotas,
    users: BTreeMap<String, Arc<Entity>>,
    groups: BTreeMap<String, Arc<Entity>>,
    roles: BTreeMap<String, Arc<Entity>>,
    policies: BTreeMap<String, Arc<Policy>>,
    /// Where entities stand, by unique id; of those that are gone too.
    ids: BTreeMap<String, (Kind, String)>,
}

impl Account {
    /// An empty account.
    pub fn new(id: &str, partition: &str) -> Self {
        Self {
            id: id.to_owned(),
            partition: partition.to_owned(),
            quotas: Quotas::default(),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            roles: BTreeMap::new(),
            policies: BTreeMap::new(),
            ids: BTreeMap::new(),
        }
    }

    /// The entities of a kind, by their names in lower case: names are unique without regard to case.
    pub const fn of(&self, kind: Kind) -> &BTreeMap<String, Arc<Entity>> {
        match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
            Kind::Role => &self.roles,
        }
    }

    /// The entities of a kind, to change.
    pub const fn of_mut(&mut self, kind: Kind) -> &mut BTreeMap<String, Arc<Entity>> {
        match kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
            Kind::Role => &mut self.roles,
        }
    }

    /// The entity of that name, or the error that AWS answers with.
    pub fn entity(&self, kind: Kind, name: &str) -> Result<&Arc<Entity>, Error> {
        self.of(kind).get(&name.to_lowercase()).ok_or_else(|| kind.missing(name))
    }

    /// The entity of that name, to change.
    pub fn entity_mut(&mut self, kind: Kind, name: &str) -> Result<&mut Entity, Error> {
        let entity = self.of_mut(kind).get_mut(&name.to_lowercase()).ok_or_else(|| kind.missing(name))?;
        Ok(Arc::make_mut(entity))
    }

    /// The entity with that unique id.
    pub fn by_id(&self, id: &str) -> Option<&Arc<Entity>> {
        let (kind, key) = self.ids.get(id)?;
        self.of(*kind).get(key).filter(|entity| entity.id == id)
    }

    /// The entity of an ARN, whose path must be right.
    pub fn by_arn(&self, arn: &str) -> Option<&Arc<Entity>> {
        let resource = arn.splitn(6, ':').nth(5)?;
        let kind = Kind::ALL.into_iter().find(|kind| resource.starts_with(&format!("{}/", kind.word())))?;
        let name = resource.rsplit('/').next()?;
        let entity = self.of(kind).get(&name.to_lowercase())?;
        (self.arn_of(entity) == arn).then_some(entity)
    }

    /// The ARN of an entity.
    pub fn arn_of(&self, entity: &Entity) -> String {
        entity.arn(&self.partition, &self.id)
    }

    /// Adds an entity.
    pub fn insert(&mut self, entity: Entity) {
        let key = entity.name.to_lowercase();
        self.ids.insert(entity.id.clone(), (entity.kind, key.clone()));
        self.of_mut(entity.kind).insert(key, Arc::new(entity));
    }

    /// All managed policies, by ARN.
    pub const fn policies(&self) -> &BTreeMap<String, Arc<Policy>> {
        &self.policies
    }

    /// All managed policies, to change.
    pub const fn policies_mut(&mut self) -> &mut BTreeMap<String, Arc<Policy>> {
        &mut self.policies
    }

    /// The managed policy of an ARN, or the error that AWS answers with.
    pub fn policy(&self, arn: &str) -> Result<&Arc<Policy>, Error> {
        self.policies.get(arn).ok_or_else(|| missing_policy(arn))
    }

    /// The managed policy of an ARN, to change.
    pub fn policy_mut(&mut self, arn: &str) -> Result<&mut Policy, Error> {
        self.policies.get_mut(arn).map(Arc::make_mut).ok_or_else(|| missing_policy(arn))
    }

    /// The members of a group.
    pub fn members(&self, group: &Entity) -> impl Iterator<Item = &Arc<Entity>> {
        let key = group.name.to_lowercase();
        self.users.values().filter(move |user| user.user.groups.contains(&key))
    }

    /// Everything that bears policies.
    pub fn entities(&self) -> impl Iterator<Item = &Arc<Entity>> {
        self.users.values().chain(self.roles.values()).chain(self.groups.values())
    }

    /// How often each managed policy is attached, and used as a permissions boundary.
    pub fn uses_of_policies(&self) -> BTreeMap<&str, (usize, usize)> {
        let mut uses: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for entity in self.entities() {
            for arn in &entity.attached {
                uses.entry(arn).or_default().0 += 1;
            }
            if let Some(arn) = &entity.boundary {
                uses.entry(arn).or_default().1 += 1;
            }
        }
        uses
    }

    /// The groups of a user, in the order of their names.
    pub fn groups_of<'a>(&'a self, user: &'a Entity) -> impl Iterator<Item = &'a Arc<Entity>> {
        user.user.groups.iter().filter_map(|key| self.groups.get(key))
    }

    /// The documents of the permissions policies that an entity has of its own: inline and attached, not its groups'.
    pub fn own_documents<'a>(&'a self, entity: &'a Entity) -> impl Iterator<Item = &'a str> {
        let inline = entity.inline.iter().map(|inline| inline.document.as_str());
        let attached = entity.attached.iter().filter_map(|arn| self.policies.get(arn));
        inline.chain(attached.map(|policy| policy.document()))
    }

    /// The documents of all permissions policies that count for an entity: its own, and for users their groups'.
    pub fn documents<'a>(&'a self, entity: &'a Entity) -> Vec<&'a str> {
        let own = self.own_documents(entity);
        let groups = self.groups_of(entity).flat_map(|group| self.own_documents(group));
        own.chain(groups).collect()
    }
}

fn missing_policy(arn: &str) -> Error {
    Error::no_such_entity(format!("Policy {arn} was not found."))
}
