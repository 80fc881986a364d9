//! An account: who there is, what is attached, and what is used.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::Catalogue;
use super::documents::{Document, Kind, document};
use super::random::Random;

/// The account's id.
pub(super) const ACCOUNT: &str = "111122223333";
/// When the collection ends: shortly after the catalogue's date, so that the catalogue is fresh. 2026-10-01T06:00:00Z.
pub(super) const NOW: i64 = 1_790_834_400;
/// The seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// How large an account is, and the seed of all that is random in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Roles.
    pub roles: usize,
    /// Users.
    pub users: usize,
    /// Managed policies, AWS's own among them.
    pub policies: usize,
    /// How many of them have fifty holders or more, by and large.
    pub shared: usize,
    /// The seed.
    pub seed: u64,
}

/// A user or a role.
#[derive(Debug)]
pub(super) struct Principal {
    pub(super) is_user: bool,
    pub(super) name: String,
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) attached: BTreeSet<usize>,
    pub(super) inline: Vec<(String, Document)>,
    /// Places of groups.
    pub(super) groups: BTreeSet<usize>,
    /// Uses nothing at all.
    pub(super) is_dormant: bool,
}

/// A group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) attached: BTreeSet<usize>,
    pub(super) inline: Vec<(String, Document)>,
}

/// A managed policy.
#[derive(Debug)]
pub(super) struct Managed {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) is_aws: bool,
    pub(super) created: i64,
    pub(super) document: Document,
}

/// An account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) catalogue: Catalogue,
    pub(super) size: Size,
    pub(super) principals: Vec<Principal>,
    pub(super) groups: Vec<Group>,
    pub(super) policies: Vec<Managed>,
}

/// AWS's own policies: name, what they are, and to how many of a thousand principals they are attached.
const AWS_MANAGED: [(&str, Kind, usize); 8] = [
    ("AdministratorAccess", Kind::Everything, 5),
    ("PowerUserAccess", Kind::AllBut, 5),
    ("ReadOnlyAccess", Kind::ReadOnly, 15),
    ("AmazonEC2ContainerServiceforEC2Role", Kind::Small, 40),
    ("AmazonSSMManagedInstanceCore", Kind::Small, 90),
    ("AWSLambdaBasicExecutionRole", Kind::Small, 150),
    ("CloudWatchAgentServerPolicy", Kind::Small, 60),
    ("AmazonS3FullAccess", Kind::Ordinary, 20),
];

impl Principal {
    /// Returns the ARN.
    pub(super) fn arn(&self) -> String {
        let kind = if self.is_user { "user" } else { "role" };
        format!("arn:aws:iam::{ACCOUNT}:{kind}/{}", self.name)
    }
}

impl Managed {
    /// Returns the ARN.
    pub(super) fn arn(&self) -> String {
        let owner = if self.is_aws { "aws" } else { ACCOUNT };
        format!("arn:aws:iam::{owner}:policy/{}", self.name)
    }
}

impl Account {
    /// Makes an account.
    pub(super) fn new(size: Size) -> Account {
        let mut account = Account {
            catalogue: Catalogue::read(),
            size,
            principals: Vec::new(),
            groups: Vec::new(),
            policies: Vec::new(),
        };
        account.add_principals();
        account.add_groups();
        account.add_policies();
        account.attach_policies();
        account
    }

    fn add_principals(&mut self) {
        for number in 0..self.size.roles + self.size.users {
            let random = &mut Random::part(self.size.seed, "principal", number);
            let is_user = number >= self.size.roles;
            let created = if random.per_mille(50) { NOW - 60 * DAY } else { NOW - 300 * DAY };
            let name = if is_user {
                format!("user.{number:05}")
            } else {
                format!("team-{:03}-service-{number:05}", number % 250)
            };
            let count = match (is_user, random.below(100)) {
                (false, 0..=9) => 2,
                (false, 10..=64) | (true, 0..=19) => 1,
                _ => 0,
            };
            let kind = if is_user { Kind::Small } else { Kind::Ordinary };
            let inline = (0..count).map(|at| (format!("inline-{at}"), document(&self.catalogue, kind, random)));
            let inline = inline.collect();
            self.principals.push(Principal {
                is_user,
                name,
                id: random.id(if is_user { "AIDA" } else { "AROA" }),
                created: random.time(NOW - 1_800 * DAY, created),
                attached: BTreeSet::new(),
                inline,
                groups: BTreeSet::new(),
                is_dormant: random.per_mille(80),
            });
        }
    }

    fn add_groups(&mut self) {
        let count = self.size.users.div_ceil(25);
        for number in 0..count {
            let random = &mut Random::part(self.size.seed, "group", number);
            let mut inline = Vec::new();
            if random.per_mille(300) {
                inline.push(("inline-0".to_owned(), document(&self.catalogue, Kind::Ordinary, random)));
            }
            let name = format!("group-{number:03}");
            self.groups.push(Group { name, id: random.id("AGPA"), attached: BTreeSet::new(), inline });
        }
        for (number, user) in self.principals.iter_mut().enumerate().filter(|(_, principal)| principal.is_user) {
            let random = &mut Random::part(self.size.seed, "membership", number);
            let memberships = random.below(3);
            user.groups.extend(random.some_of(count, memberships));
        }
    }

    fn add_policies(&mut self) {
        for (number, (name, kind, _)) in AWS_MANAGED.iter().enumerate() {
            let random = &mut Random::part(self.size.seed, "aws", number);
            self.policies.push(Managed {
                name: (*name).to_owned(),
                id: random.id("ANPA"),
                is_aws: true,
                created: NOW - 3_000 * DAY,
                document: document(&self.catalogue, *kind, random),
            });
        }
        for number in self.policies.len()..self.size.policies {
            let random = &mut Random::part(self.size.seed, "policy", number);
            let kind = match random.below(1_000) {
                // Those that everybody holds come first, and are never this wide.
                0..=4 if number >= self.size.shared + AWS_MANAGED.len() => Kind::Everything,
                5..=12 if number >= self.size.shared + AWS_MANAGED.len() => Kind::AllBut,
                13..=20 => Kind::ReadOnly,
                _ => Kind::Ordinary,
            };
            self.policies.push(Managed {
                name: format!("policy-{number:04}"),
                id: random.id("ANPA"),
                is_aws: false,
                created: random.time(NOW - 1_500 * DAY, NOW - 20 * DAY),
                document: document(&self.catalogue, kind, random),
            });
        }
    }

    fn attach_policies(&mut self) {
        let everybody = self.principals.len();
        let of_aws = |share: &usize| (everybody * share).div_ceil(1_000);
        let wide_of_aws = AWS_MANAGED.iter().filter(|(_, _, share)| of_aws(share) >= 50).count();
        let shared = self.size.shared.saturating_sub(wide_of_aws);
        for number in 0..self.policies.len() {
            let random = &mut Random::part(self.size.seed, "attachment", number);
            let of_aws = AWS_MANAGED.get(number).map(|(_, _, share)| of_aws(share));
            let holders = match of_aws {
                Some(count) => count,
                None if number < AWS_MANAGED.len() + shared => {
                    // Most are held by little more than fifty, a few by very many.
                    let draw = random.below(1_000);
                    (50 + draw * draw / 1_000 * draw / 1_000 * 250 / 1_000).min(everybody * 2 / 3)
                }
                None if random.per_mille(30) => 0,
                None => random.between(1, 4),
            };
            if of_aws.is_none() && holders > 0 && holders < 50 && random.per_mille(60) && !self.groups.is_empty() {
                let group = random.below(self.groups.len());
                if let Some(group) = self.groups.get_mut(group) {
                    group.attached.insert(number);
                }
                continue;
            }
            for at in random.some_of(everybody, holders) {
                if let Some(principal) = self.principals.get_mut(at) {
                    principal.attached.insert(number);
                }
            }
        }
    }

    /// Returns the documents that the principal holds, each with a number that is the same for all its holders.
    fn documents<'a>(&'a self, principal: &'a Principal) -> impl Iterator<Item = &'a Document> {
        let groups = || principal.groups.iter().filter_map(|group| self.groups.get(*group));
        let attached = principal.attached.iter().chain(groups().flat_map(|group| &group.attached));
        let inline = principal.inline.iter().chain(groups().flat_map(|group| &group.inline));
        let managed = attached.filter_map(|at| self.policies.get(*at)).map(|policy| &policy.document);
        managed.chain(inline.map(|(_, document)| document))
    }

    /// Returns what the principal is allowed, each action with its last use.
    pub(super) fn usage(&self, number: usize, principal: &Principal) -> BTreeMap<usize, Option<i64>> {
        let random = &mut Random::part(self.size.seed, "usage", number);
        let mut usage: BTreeMap<usize, Option<i64>> = BTreeMap::new();
        for document in self.documents(principal) {
            for action in &document.allows {
                usage.entry(*action).or_default();
            }
            if principal.is_dormant {
                continue;
            }
            let (recent, once) = (random.per_mille(900), random.per_mille(500));
            for action in document.used.iter().filter(|_| recent) {
                if random.per_mille(600) {
                    let time = random.time(NOW - 40 * DAY, NOW - DAY);
                    let last = usage.entry(*action).or_default();
                    *last = (*last).max(Some(time));
                }
            }
            for action in document.used_once.iter().filter(|_| once) {
                if random.per_mille(100) {
                    let time = random.time((NOW - 390 * DAY).max(principal.created), NOW - 100 * DAY);
                    let last = usage.entry(*action).or_default();
                    *last = (*last).max(Some(time));
                }
            }
        }
        usage
    }

    /// Returns how many principals hold the policy, directly or by a group.
    pub(super) fn holders(&self, policy: usize) -> usize {
        let by_group = |group: &usize| self.groups.get(*group).is_some_and(|group| group.attached.contains(&policy));
        let holds =
            |principal: &&Principal| principal.attached.contains(&policy) || principal.groups.iter().any(by_group);
        self.principals.iter().filter(holds).count()
    }

    /// Returns how many principals and groups the policy is attached to.
    pub(super) fn attachments(&self, policy: usize) -> usize {
        let principals = self.principals.iter().filter(|principal| principal.attached.contains(&policy)).count();
        principals + self.groups.iter().filter(|group| group.attached.contains(&policy)).count()
    }

    /// Returns all documents.
    pub(super) fn all_documents(&self) -> impl Iterator<Item = &Document> {
        let managed = self.policies.iter().map(|policy| &policy.document);
        let of_principals = self.principals.iter().flat_map(|principal| &principal.inline);
        let of_groups = self.groups.iter().flat_map(|group| &group.inline);
        managed.chain(of_principals.chain(of_groups).map(|(_, document)| document))
    }
}
