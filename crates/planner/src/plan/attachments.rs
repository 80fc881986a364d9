//! Room for further managed policies and their attachments.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>. The account's own summary counts where
//! there is one; the numbers here are AWS's documented defaults.

use std::collections::{BTreeMap, BTreeSet};

use secateur_analyzer::account::{Account, PrincipalKind};
use secateur_analyzer::document::{PolicyDocument, fingerprint};
use secateur_analyzer::graph::{Entity, Graph, PolicyId};

/// The longest name of a managed policy.
const MAX_NAME: usize = 128;

/// A policy that a plan creates, or finds already there with the same document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewPolicy {
    pub name: String,
    pub text: String,
    /// Whether it has to be created.
    pub is_new: bool,
}

/// How many managed policies the account and each of its entities can still have.
#[derive(Debug)]
pub(super) struct AttachmentSlots {
    policies_left: usize,
    /// Attachments that the plan adds for good.
    added: BTreeMap<Entity, usize>,
    /// The names of customer-managed policies, in lower case, with the place in the account; those of the plan without.
    names: BTreeMap<String, Option<usize>>,
}

impl AttachmentSlots {
    pub fn of(account: &Account) -> AttachmentSlots {
        let own = || account.policies.iter().enumerate().filter(|(_, policy)| !policy.is_aws_managed());
        let names: BTreeMap<String, Option<usize>> =
            own().map(|(at, policy)| (policy.name.to_ascii_lowercase(), Some(at))).collect();
        let policies_left = quota(account, "PoliciesQuota", 1_500).saturating_sub(own().count());
        AttachmentSlots { policies_left, added: BTreeMap::new(), names }
    }

    /// Takes room for the further parts of a policy that is split, on everybody that it is attached to.
    ///
    /// # Errors
    /// When there is no room, in words.
    pub fn take_parts(
        &mut self,
        graph: &Graph<'_>,
        policy: PolicyId,
        texts: Vec<String>,
    ) -> Result<(String, Vec<NewPolicy>), String> {
        let entities = graph.attached_to(policy);
        let mut texts = texts.into_iter();
        let first = texts.next().unwrap_or_default();
        let name = graph.policy(policy).map_or("", |policy| policy.name()).to_owned();
        let mut further = Vec::new();
        for (at, text) in texts.enumerate() {
            further.push(self.name(graph.account(), &name, &format!("part-{}", at + 2), text)?);
        }
        let new = further.iter().filter(|policy| policy.is_new).count();
        if new > self.policies_left {
            return Err(format!("{new} further policies are more than the account may have (PoliciesQuota)"));
        }
        for entity in &entities {
            self.check(graph, *entity, further.len())?;
        }
        self.policies_left -= new;
        for policy in &further {
            self.names.entry(policy.name.to_ascii_lowercase()).or_insert(None);
        }
        for entity in entities {
            *self.added.entry(entity).or_default() += further.len();
        }
        Ok((first, further))
    }

    /// Takes room for a copy of an AWS-managed policy that takes its place; both are attached for a moment.
    ///
    /// # Errors
    /// When there is no room for the policy, in words. Entities without room are left out, with the reason.
    pub fn take_copy(
        &mut self,
        graph: &Graph<'_>,
        name: &str,
        text: &str,
        entities: &[Entity],
    ) -> Result<(NewPolicy, Vec<(Entity, String)>), String> {
        let suffix: String = fingerprint(text).to_string().chars().take(8).collect();
        let copy = self.name(graph.account(), name, &suffix, text.to_owned())?;
        if copy.is_new && self.policies_left == 0 {
            return Err("the account may have no further policy (PoliciesQuota)".to_owned());
        }
        let full: Vec<(Entity, String)> =
            entities.iter().filter_map(|entity| Some((*entity, self.check(graph, *entity, 1).err()?))).collect();
        if full.len() < entities.len() && copy.is_new {
            self.policies_left -= 1;
            self.names.insert(copy.name.to_ascii_lowercase(), None);
        }
        Ok((copy, full))
    }

    /// The name for a new policy. One that is there already must have the same document.
    fn name(&self, account: &Account, name: &str, suffix: &str, text: String) -> Result<NewPolicy, String> {
        let head: String = name.chars().take(MAX_NAME - suffix.len() - 1).collect();
        let name = format!("{head}-{suffix}");
        match self.names.get(&name.to_ascii_lowercase()) {
            None => Ok(NewPolicy { name, text, is_new: true }),
            Some(None) => Err(format!("two policies would be named `{name}`")),
            Some(Some(at)) => {
                let policy = account.policies.get(*at);
                let document = policy.and_then(|policy| policy.default()).and_then(|version| version.document.as_ref());
                let is_same = document.is_some_and(|document| {
                    PolicyDocument::parse(document.text()).is_ok() && fingerprint(document.text()) == fingerprint(&text)
                });
                let own_name = policy.map_or(name.clone(), |policy| policy.name.clone());
                match is_same && policy.is_some_and(|policy| policy.path == "/") {
                    true => Ok(NewPolicy { name: own_name, text, is_new: false }),
                    false => Err(format!("there is a policy `{own_name}` already, with other content")),
                }
            }
        }
    }

    fn check(&self, graph: &Graph<'_>, entity: Entity, more: usize) -> Result<(), String> {
        let account = graph.account();
        let (attached, key) = match entity {
            Entity::Group(at) => (account.groups.get(at).map(|group| &group.attached), "AttachedPoliciesPerGroupQuota"),
            Entity::Principal(id) => {
                let principal = account.principals.get(id.0);
                let key = match principal.map(|principal| principal.kind) {
                    Some(PrincipalKind::Role) => "AttachedPoliciesPerRoleQuota",
                    _ => "AttachedPoliciesPerUserQuota",
                };
                (principal.map(|principal| &principal.attached), key)
            }
        };
        let attached: BTreeSet<_> = attached.into_iter().flatten().collect();
        let used = attached.len() + self.added.get(&entity).copied().unwrap_or(0);
        let quota = quota(account, key, 10);
        match used + more > quota {
            true => Err(format!(
                "{} has {used} managed policies attached, and may have {quota} ({key})",
                graph.entity_address(entity)
            )),
            false => Ok(()),
        }
    }
}

fn quota(account: &Account, name: &str, default: usize) -> usize {
    let own = account.summary.as_ref().and_then(|summary| summary.get(name));
    own.and_then(|quota| usize::try_from(*quota).ok()).unwrap_or(default)
}
