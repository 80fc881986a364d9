//! Who holds which policy, and by which path.
//!
//! The nodes are policies, groups, users and roles; an arrow points from what grants to who receives: a policy to whom it
//! is attached to or embedded in, a group to its members. The holders of a policy are the users and roles that it reaches.

use std::collections::{BTreeMap, HashMap, HashSet};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::account::{Account, Document, InlinePolicy, ManagedPolicy, Principal, PrincipalKind};
use crate::arn::Arn;

/// A policy of the account, by its place in [`Graph::policies`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyId(usize);

impl PolicyId {
    /// Returns the place in [`Graph::policies`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// A user or role, by its place in [`Account::principals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalId(pub usize);

/// A user, role or group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// A user or role.
    Principal(PrincipalId),
    /// A group, by its place in [`Account::groups`].
    Group(usize),
}

/// What a policy is, and where its document stands.
#[derive(Clone, Copy, Debug)]
pub enum PolicyRef<'a> {
    /// A managed policy.
    Managed(&'a ManagedPolicy),
    /// An inline policy, and whom it is embedded in.
    Inline(Entity, &'a InlinePolicy),
}

/// A way by which a holder has a policy: directly, or through a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Path {
    /// Attached to the holder or embedded in it.
    Direct,
    /// Attached to or embedded in a group that the holder is a member of.
    Group(usize),
}

/// A user or role that a policy reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The user or role.
    pub principal: PrincipalId,
    /// All ways by which it has the policy.
    pub paths: Vec<Path>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Policy(PolicyId),
    Entity(Entity),
}

/// The account's graph.
#[derive(Debug)]
pub struct Graph<'a> {
    account: &'a Account,
    graph: DiGraph<Node, ()>,
    policies: Vec<PolicyRef<'a>>,
    addresses: Vec<String>,
    policy_nodes: Vec<NodeIndex>,
    principal_nodes: Vec<NodeIndex>,
    group_nodes: Vec<NodeIndex>,
    /// Attachments to policies, and memberships of groups, that the authorization details do not contain.
    dangling: Vec<(PrincipalId, String)>,
    boundaries: HashSet<&'a Arn>,
}

impl<'a> Graph<'a> {
    /// Builds the graph of an account.
    pub fn new(account: &'a Account) -> Graph<'a> {
        let mut building = Building::new(account);
        building.managed();
        building.entities();
        building.finish()
    }

    /// Returns all policies, by address.
    pub fn policies(&self) -> impl Iterator<Item = PolicyId> + use<> {
        (0..self.policies.len()).map(PolicyId)
    }

    /// Returns the policy.
    pub fn policy(&self, id: PolicyId) -> Option<PolicyRef<'a>> {
        self.policies.get(id.0).copied()
    }

    /// Returns the policy's address: `policy/NAME` (AWS-managed: `policy/aws:NAME`), `role/NAME/inline/POLICY`, ...
    pub fn address(&self, id: PolicyId) -> &str {
        self.addresses.get(id.0).map_or("", String::as_str)
    }

    /// Returns the first policy with that address.
    pub fn find(&self, address: &str) -> Option<PolicyId> {
        let at = self.addresses.partition_point(|own| own.as_str() < address);
        self.addresses.get(at).filter(|own| *own == address).map(|_| PolicyId(at))
    }

    /// Returns the holders of a policy, by principal.
    pub fn holders(&self, id: PolicyId) -> Vec<Holder> {
        let mut holders: BTreeMap<PrincipalId, Vec<Path>> = BTreeMap::new();
        for entity in self.attached_to(id) {
            match entity {
                Entity::Principal(principal) => holders.entry(principal).or_default().push(Path::Direct),
                Entity::Group(group) => {
                    for member in self.members(group) {
                        holders.entry(member).or_default().push(Path::Group(group));
                    }
                }
            }
        }
        holders
            .into_iter()
            .map(|(principal, mut paths)| {
                paths.sort_unstable();
                paths.dedup();
                Holder { principal, paths }
            })
            .collect()
    }

    /// Returns how a principal holds a policy; none when it does not.
    pub fn holder(&self, id: PolicyId, principal: PrincipalId) -> Option<Holder> {
        let (&node, &policy) = self.principal_nodes.get(principal.0).zip(self.policy_nodes.get(id.0))?;
        let path = |before: NodeIndex| match self.graph.node_weight(before) {
            Some(Node::Policy(own)) => (*own == id).then_some(Path::Direct),
            Some(Node::Entity(Entity::Group(group))) => {
                self.graph.contains_edge(policy, before).then_some(Path::Group(*group))
            }
            Some(Node::Entity(Entity::Principal(_))) | None => None,
        };
        let mut paths: Vec<Path> = self.graph.neighbors_directed(node, Direction::Incoming).filter_map(path).collect();
        paths.sort_unstable();
        paths.dedup();
        (!paths.is_empty()).then_some(Holder { principal, paths })
    }

    /// Returns whom the policy is attached to, or embedded in, in order.
    pub fn attached_to(&self, id: PolicyId) -> Vec<Entity> {
        let Some(&node) = self.policy_nodes.get(id.0) else { return Vec::new() };
        let mut entities: Vec<Entity> = self.graph.neighbors(node).filter_map(|next| self.entity(next)).collect();
        entities.sort_unstable();
        entities.dedup();
        entities
    }

    /// Returns the policies that a principal holds, in order.
    pub fn policies_of(&self, principal: PrincipalId) -> Vec<PolicyId> {
        let Some(&node) = self.principal_nodes.get(principal.0) else { return Vec::new() };
        let mut found = Vec::new();
        for before in self.graph.neighbors_directed(node, Direction::Incoming) {
            match self.graph.node_weight(before) {
                Some(Node::Policy(policy)) => found.push(*policy),
                Some(Node::Entity(_)) => {
                    found.extend(self.graph.neighbors_directed(before, Direction::Incoming).filter_map(|node| {
                        match self.graph.node_weight(node) {
                            Some(Node::Policy(policy)) => Some(*policy),
                            _ => None,
                        }
                    }));
                }
                None => {}
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Returns whether the principal has a policy or a group that the authorization details do not contain.
    pub fn is_dangling(&self, principal: PrincipalId) -> bool {
        self.dangling.iter().any(|(own, _)| *own == principal)
    }

    /// Returns the attachments and memberships that lead nowhere: who has them, and what is missing.
    pub fn dangling(&self) -> &[(PrincipalId, String)] {
        &self.dangling
    }

    /// Returns whether a policy is the permissions boundary of anybody.
    pub fn is_boundary(&self, policy: &Arn) -> bool {
        self.boundaries.contains(policy)
    }

    /// Returns the account.
    pub fn account(&self) -> &'a Account {
        self.account
    }

    /// Returns `user/NAME`, `role/NAME` or `group/NAME`.
    pub fn entity_address(&self, entity: Entity) -> String {
        entity_address(self.account, entity)
    }

    /// Returns the members of a group, in order.
    pub fn members(&self, group: usize) -> Vec<PrincipalId> {
        let mut members: Vec<PrincipalId> = self
            .group_nodes
            .get(group)
            .into_iter()
            .flat_map(|&node| self.graph.neighbors(node))
            .filter_map(|next| match self.entity(next) {
                Some(Entity::Principal(principal)) => Some(principal),
                _ => None,
            })
            .collect();
        members.sort_unstable();
        members.dedup();
        members
    }

    fn entity(&self, node: NodeIndex) -> Option<Entity> {
        match self.graph.node_weight(node) {
            Some(Node::Entity(entity)) => Some(*entity),
            _ => None,
        }
    }
}

impl<'a> PolicyRef<'a> {
    /// Returns the document in force.
    pub fn document(&self) -> Option<&'a Document> {
        match self {
            PolicyRef::Managed(policy) => policy.default().and_then(|version| version.document.as_ref()),
            PolicyRef::Inline(_, policy) => Some(&policy.document),
        }
    }

    /// Returns the policy's name.
    pub fn name(&self) -> &'a str {
        match self {
            PolicyRef::Managed(policy) => &policy.name,
            PolicyRef::Inline(_, policy) => &policy.name,
        }
    }

    /// Returns the managed policy, if it is one.
    pub fn managed(&self) -> Option<&'a ManagedPolicy> {
        match self {
            PolicyRef::Managed(policy) => Some(policy),
            PolicyRef::Inline(..) => None,
        }
    }
}

fn entity_address(account: &Account, entity: Entity) -> String {
    match entity {
        Entity::Principal(PrincipalId(at)) => account.principals.get(at).map_or_else(String::new, Principal::address),
        Entity::Group(at) => account.groups.get(at).map_or_else(String::new, |group| format!("group/{}", group.name)),
    }
}

struct Building<'a> {
    account: &'a Account,
    graph: DiGraph<Node, ()>,
    principal_nodes: Vec<NodeIndex>,
    group_nodes: Vec<NodeIndex>,
    /// Policies with their address, and whom they reach at once; numbered when all are known.
    found: Vec<(String, PolicyRef<'a>, Vec<Entity>)>,
    managed: HashMap<&'a Arn, usize>,
    dangling: Vec<(PrincipalId, String)>,
}

impl<'a> Building<'a> {
    fn new(account: &'a Account) -> Building<'a> {
        let mut graph = DiGraph::new();
        let principal_nodes = (0..account.principals.len())
            .map(|at| graph.add_node(Node::Entity(Entity::Principal(PrincipalId(at)))))
            .collect();
        let group_nodes = (0..account.groups.len()).map(|at| graph.add_node(Node::Entity(Entity::Group(at)))).collect();
        Building {
            account,
            graph,
            principal_nodes,
            group_nodes,
            found: Vec::new(),
            managed: HashMap::new(),
            dangling: Vec::new(),
        }
    }

    fn managed(&mut self) {
        for policy in &self.account.policies {
            let prefix = if policy.is_aws_managed() { "aws:" } else { "" };
            self.managed.insert(&policy.arn, self.found.len());
            self.found.push((format!("policy/{prefix}{}", policy.name), PolicyRef::Managed(policy), Vec::new()));
        }
    }

    fn entities(&mut self) {
        let groups: HashMap<String, usize> =
            self.account.groups.iter().enumerate().map(|(at, group)| (group.name.to_ascii_lowercase(), at)).collect();
        let mut missing_of_group: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for (at, group) in self.account.groups.iter().enumerate() {
            let missing = self.grants(Entity::Group(at), &group.inline, &group.attached);
            missing_of_group.insert(at, missing);
        }
        for (at, principal) in self.account.principals.iter().enumerate() {
            let id = PrincipalId(at);
            let missing = self.grants(Entity::Principal(id), &principal.inline, &principal.attached);
            self.dangling.extend(missing.into_iter().map(|what| (id, what)));
            for name in &principal.groups {
                match groups.get(&name.to_ascii_lowercase()) {
                    Some(&group) if principal.kind == PrincipalKind::User => {
                        if let (Some(&from), Some(&to)) = (self.group_nodes.get(group), self.principal_nodes.get(at)) {
                            self.graph.update_edge(from, to, ());
                        }
                        let missing = missing_of_group.get(&group).into_iter().flatten();
                        self.dangling.extend(missing.map(|what| (id, what.clone())));
                    }
                    _ => self.dangling.push((id, format!("group/{name}"))),
                }
            }
        }
    }

    /// Notes the entity's policies; returns the ARNs of attached policies that the account does not have.
    fn grants(&mut self, entity: Entity, inline: &'a [InlinePolicy], attached: &[Arn]) -> Vec<String> {
        let owner = entity_address(self.account, entity);
        for policy in inline {
            let address = format!("{owner}/inline/{}", policy.name);
            self.found.push((address, PolicyRef::Inline(entity, policy), vec![entity]));
        }
        let mut missing = Vec::new();
        for arn in attached {
            match self.managed.get(arn).and_then(|&at| self.found.get_mut(at)) {
                Some((_, _, entities)) => entities.push(entity),
                None => missing.push(arn.to_string()),
            }
        }
        missing
    }

    fn finish(mut self) -> Graph<'a> {
        self.found.sort_by(|a, b| a.0.cmp(&b.0));
        let mut policy_nodes = Vec::new();
        for (at, (_, _, entities)) in self.found.iter_mut().enumerate() {
            let node = self.graph.add_node(Node::Policy(PolicyId(at)));
            policy_nodes.push(node);
            // To ask the graph whether it has an edge takes as long as there are some.
            entities.sort_unstable();
            entities.dedup();
            for entity in entities {
                let target = match entity {
                    Entity::Principal(PrincipalId(at)) => self.principal_nodes.get(*at),
                    Entity::Group(at) => self.group_nodes.get(*at),
                };
                if let Some(&target) = target {
                    self.graph.add_edge(node, target, ());
                }
            }
        }
        self.dangling.sort();
        self.dangling.dedup();
        let (addresses, policies) = self.found.into_iter().map(|(address, policy, _)| (address, policy)).unzip();
        Graph {
            account: self.account,
            graph: self.graph,
            policies,
            addresses,
            policy_nodes,
            principal_nodes: self.principal_nodes,
            group_nodes: self.group_nodes,
            dangling: self.dangling,
            boundaries: self.account.principals.iter().filter_map(|principal| principal.boundary.as_ref()).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
