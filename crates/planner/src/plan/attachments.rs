//! Room for further managed policies and their attachments.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>. The account's own summary counts where
//! there is one; the numbers here are AWS's documented defaults.

use std::collections::{BTreeMap, BTreeSet};

use secateur_analyzer::account::{Account, PrincipalKind};
use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::document::{PolicyDocument, fingerprint};
use secateur_analyzer::graph::{Entity, Graph, PolicyId};
use secateur_analyzer::rules::{Force, PolicyFacts, PrincipalFacts};
use secateur_analyzer::verdict::LeftAlone;

use super::{subject, withheld};

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
pub(super) struct AttachmentSlots<'s, 'a> {
    analysis: &'s Analysis<'a>,
    policies_left: usize,
    /// Attachments that the plan adds for good.
    added: BTreeMap<Entity, usize>,
    /// Who has a copy beside what it replaces for a moment; one after the other, where it is several.
    for_a_moment: BTreeSet<Entity>,
    /// The names of customer-managed policies, in lower case, with the place in the account; those of the plan without.
    names: BTreeMap<String, Option<usize>>,
    /// The policies that are there already and are attached to more entities: nothing of them may go in the same plan.
    reused: BTreeSet<PolicyId>,
}

impl<'s, 'a> AttachmentSlots<'s, 'a> {
    pub fn of(analysis: &'s Analysis<'a>) -> AttachmentSlots<'s, 'a> {
        let account = analysis.inputs().account;
        let own = || account.policies.iter().enumerate().filter(|(_, policy)| !policy.is_aws_managed());
        let names: BTreeMap<String, Option<usize>> =
            own().map(|(at, policy)| (policy.name.to_ascii_lowercase(), Some(at))).collect();
        let policies_left = quota(account, "PoliciesQuota", 1_500).saturating_sub(own().count());
        let (added, for_a_moment, reused) = Default::default();
        AttachmentSlots { analysis, policies_left, added, for_a_moment, names, reused }
    }

    /// Returns the policies that the plan attaches as they are.
    pub fn into_reused(self) -> BTreeSet<PolicyId> {
        self.reused
    }

    /// Takes room for the further parts of a policy that is split, on everybody that it is attached to.
    ///
    /// # Errors
    /// When there is no room, in words.
    pub fn take_parts(&mut self, policy: PolicyId, texts: Vec<String>) -> Result<(String, Vec<NewPolicy>), String> {
        let graph = self.analysis.graph();
        let entities = graph.attached_to(policy);
        let mut texts = texts.into_iter();
        let first = texts.next().unwrap_or_default();
        let name = graph.policy(policy).map_or("", |policy| policy.name()).to_owned();
        let mut further = Vec::new();
        for (at, text) in texts.enumerate() {
            further.push(self.name(&name, &format!("part-{}", at + 2), text)?);
        }
        let new = further.iter().filter(|policy| policy.is_new).count();
        if new > self.policies_left {
            return Err(format!("{new} further policies are more than the account may have (PoliciesQuota)"));
        }
        for part in &further {
            self.check_rules(policy, &entities, part, "part")?;
        }
        for entity in &entities {
            if let Some(owner) = subject::owner(graph, *entity) {
                let address = graph.entity_address(*entity);
                return Err(format!("a part would be attached to {address}, which is {}", LeftAlone::Owned(owner)));
            }
            self.check(*entity, &further.iter().collect::<Vec<_>>(), self.for_a_moment.contains(entity))?;
        }
        self.policies_left -= new;
        self.take(&further);
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
        policy: PolicyId,
        text: &str,
        entities: &[Entity],
    ) -> Result<(NewPolicy, Vec<(Entity, String)>), String> {
        let name = self.analysis.graph().policy(policy).map_or("", |policy| policy.name());
        let suffix: String = fingerprint(text).to_string().chars().take(8).collect();
        let copy = self.name(name, &suffix, text.to_owned())?;
        if copy.is_new && self.policies_left == 0 {
            return Err("the account may have no further policy (PoliciesQuota)".to_owned());
        }
        self.check_rules(policy, entities, &copy, "copy")?;
        let full: Vec<(Entity, String)> =
            entities.iter().filter_map(|entity| Some((*entity, self.check(*entity, &[&copy], false).err()?))).collect();
        if full.len() < entities.len() {
            let is_full = |entity: &Entity| full.iter().any(|(own, _)| own == entity);
            self.for_a_moment.extend(entities.iter().filter(|entity| !is_full(entity)));
            self.policies_left -= usize::from(copy.is_new);
            self.take(std::slice::from_ref(&copy));
        }
        Ok((copy, full))
    }

    /// Reserves the names of new policies, and keeps as they are those that are there already.
    fn take(&mut self, policies: &[NewPolicy]) {
        for policy in policies {
            match existing(self.analysis.graph(), &policy.name).filter(|_| !policy.is_new) {
                Some(id) => {
                    self.reused.insert(id);
                }
                None => {
                    self.names.insert(policy.name.to_ascii_lowercase(), None);
                }
            }
        }
    }

    /// A rule that keeps actions in the old policy must go on keeping them in the new one.
    fn check_rules(&self, policy: PolicyId, entities: &[Entity], new: &NewPolicy, what: &str) -> Result<(), String> {
        let (inputs, graph) = (self.analysis.inputs(), self.analysis.graph());
        let Some(reference) = graph.policy(policy) else { return Ok(()) };
        let facts = PolicyFacts::of(reference, graph.address(policy));
        let address = format!("policy/{}", new.name);
        let arn = subject::root_arn(graph, &new.name);
        let (arn, path, tags) = (arn.as_ref().map(|arn| arn.as_str()), Some("/"), Some(&[][..]));
        let new_facts = PolicyFacts { arn, name: &new.name, address: &address, path, tags };
        let reached: Vec<_> = entities.iter().flat_map(|entity| subject::reached(graph, policy, *entity)).collect();
        for (at, rule) in inputs.rules.keep.iter().enumerate() {
            let loses = rule.force(inputs.now) != Force::Expired
                && reached.iter().any(|holder| {
                    let address = graph.entity_address(Entity::Principal(holder.principal));
                    inputs.account.principals.get(holder.principal.0).is_some_and(|principal| {
                        let principal = PrincipalFacts::of(principal, &address);
                        rule.is_about(&principal, &facts) && !rule.is_about(&principal, &new_facts)
                    })
                });
            if loses {
                // The end of the name is told by the content: a glob goes on naming what comes next.
                let end = if what == "part" {
                    new.name.rfind("part-").map(|at| at + 5)
                } else {
                    new.name.rfind('-').map(|at| at + 1)
                };
                let head = end.and_then(|end| new.name.get(..end)).unwrap_or(&new.name);
                return Err(format!(
                    "keep[{at}] ({}) names {} and not its {what}: add \"policy/{head}*\" to the rule's policies; this one is {address}",
                    rule.reason,
                    graph.address(policy),
                ));
            }
        }
        Ok(())
    }

    /// The name for a new policy. One that is there already must have the same document.
    fn name(&self, name: &str, suffix: &str, text: String) -> Result<NewPolicy, String> {
        let account = self.analysis.inputs().account;
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
                let graph = self.analysis.graph();
                let judged = existing(graph, &own_name).and_then(|id| self.analysis.policy(id));
                if let Some(why) = judged.and_then(|judged| judged.set_aside.as_ref()) {
                    let why = withheld::describe(self.analysis, why);
                    return Err(format!("there is a policy `{own_name}` already, and it stays as it is: {why}"));
                }
                let path = policy.map_or("/", |policy| policy.path.as_str());
                match (is_same, path) {
                    (true, "/") => Ok(NewPolicy { name: own_name, text, is_new: false }),
                    (true, path) => Err(format!(
                        "there is a policy `{own_name}` already, with the same content under the path {path}: only one \
                         under / is taken"
                    )),
                    (false, _) => Err(format!("there is a policy `{own_name}` already, with other content")),
                }
            }
        }
    }

    /// Whether an entity can have all of these attached, besides what it has, and `for_a_moment` one more.
    fn check(&self, entity: Entity, new: &[&NewPolicy], for_a_moment: bool) -> Result<(), String> {
        let (graph, account) = (self.analysis.graph(), self.analysis.inputs().account);
        for policy in new.iter().filter(|policy| !policy.is_new) {
            let id = existing(graph, &policy.name);
            if id.is_some_and(|id| graph.attached_to(id).contains(&entity)) {
                let address = graph.entity_address(entity);
                return Err(format!(
                    "{address} has policy/{} attached already: detach the old policy from it by hand",
                    policy.name
                ));
            }
        }
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
        let added = self.added.get(&entity).copied().unwrap_or(0) + usize::from(for_a_moment);
        let (used, quota) = (attached.len(), quota(account, key, 10));
        let with = if added == 0 { String::new() } else { format!(" ({} with this plan)", used + added) };
        match used + added + new.len() > quota {
            true => Err(format!(
                "{} has {used} managed policies attached{with}, and may have {quota} ({key})",
                graph.entity_address(entity)
            )),
            false => Ok(()),
        }
    }
}

/// The customer-managed policy of this name.
pub(super) fn existing(graph: &Graph<'_>, name: &str) -> Option<PolicyId> {
    graph.find(&format!("policy/{name}"))
}

fn quota(account: &Account, name: &str, default: usize) -> usize {
    let own = account.summary.as_ref().and_then(|summary| summary.get(name));
    own.and_then(|quota| usize::try_from(*quota).ok()).unwrap_or(default)
}
