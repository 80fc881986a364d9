//! An account as the soak draws it: a model of its own, from which the snapshot is written and the expectations are derived.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::{AccessKey, KmsKey};
use crate::judge::Policy;

/// The id of every drawn account.
pub const ACCOUNT: &str = "111122223333";

/// A document: its exact text, and what the judge reads in it.
#[derive(Clone, Debug)]
pub struct Document {
    /// The text.
    pub text: String,
    /// The policy, or why the judge cannot read it: then it is one that nobody may change.
    pub policy: Result<Policy, String>,
}

impl Document {
    /// Reads a text.
    pub fn new(text: String) -> Document {
        Document { policy: Policy::parse(&text), text }
    }

    /// Returns whether it names tags of who asks, or multi-factor authentication, or may by escapes.
    pub fn asks_who(&self) -> bool {
        let text = self.text.to_lowercase();
        text.contains("principaltag") || text.contains("multifactorauth") || text.contains("\\u")
    }
}

/// An inline policy.
#[derive(Clone, Debug)]
pub struct Inline {
    /// The name.
    pub name: String,
    /// The document.
    pub document: Document,
}

/// A managed policy.
#[derive(Clone, Debug)]
pub struct Managed {
    /// The name.
    pub name: String,
    /// Whether it is AWS's.
    pub is_aws: bool,
    /// The document in force, and since when.
    pub document: Document,
    /// When that was made.
    pub created: i64,
    /// The version before, if there is one, and when it was made.
    pub previous: Option<(Document, i64)>,
    /// Whether its tags say that Terraform owns it.
    pub is_owned: bool,
}

/// A user or role.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Whether it is a role.
    pub is_role: bool,
    /// The name.
    pub name: String,
    /// The path.
    pub path: String,
    /// When it was created.
    pub created: i64,
    /// The services that the role trusts.
    pub trusts: Vec<String>,
    /// Whether its tags say that Terraform owns it.
    pub is_owned: bool,
    /// Its inline policies.
    pub inline: Vec<Inline>,
    /// The managed policies attached to it, by their places.
    pub attached: BTreeSet<usize>,
    /// Its groups, by their places.
    pub groups: BTreeSet<usize>,
    /// Its permissions boundary, the place of a managed policy.
    pub boundary: Option<usize>,
    /// Its report.
    pub report: Option<Report>,
    /// When the role was last used for anything.
    pub last_used: Option<i64>,
    /// The access keys of a user, if they were collected.
    pub keys: Option<Vec<AccessKey>>,
}

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// The name.
    pub name: String,
    /// Its inline policies.
    pub inline: Vec<Inline>,
    /// The managed policies attached to it, by their places.
    pub attached: BTreeSet<usize>,
}

/// What has become of a report's job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is whole and has actions.
    Whole,
    /// It was asked for services only.
    ServicesOnly,
    /// It failed.
    Failed,
    /// It is not finished.
    Unfinished,
    /// Pages are missing.
    Truncated,
}

/// A last-accessed report.
#[derive(Clone, Debug)]
pub struct Report {
    /// What has become of it.
    pub state: State,
    /// When it was completed.
    pub generated: i64,
    /// The rows, by namespace.
    pub rows: BTreeMap<String, Row>,
}

/// What a report says of a service.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The last use of the service.
    pub last: Option<i64>,
    /// Its actions by name, each with its last use.
    pub actions: BTreeMap<String, Option<i64>>,
}

impl Row {
    /// Returns the last use of the service or of any of its actions.
    pub fn last_use(&self) -> Option<i64> {
        self.actions.values().copied().chain([self.last]).flatten().max()
    }
}

/// An IAM write call that the event history tells of.
#[derive(Clone, Debug)]
pub struct Event {
    /// When.
    pub time: i64,
    /// Who it is about.
    pub principal: usize,
    /// What it did.
    pub kind: EventKind,
}

/// What a write call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It attached a managed policy, by its place.
    Attach(usize),
    /// It wrote an inline policy, by its place.
    Put(usize),
    /// It tagged the principal, which grants nothing where no document asks who that is.
    Tag,
}

/// The event history of the write calls.
#[derive(Clone, Debug)]
pub struct History {
    /// Since when it tells.
    pub from: i64,
    /// The calls.
    pub events: Vec<Event>,
}

/// An account.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The end of its collection.
    pub now: i64,
    /// Its Regions; none when they are not known.
    pub regions: Option<Vec<&'static str>>,
    /// Its event history.
    pub history: Option<History>,
    /// What its size quotas are divided by: small ones make more documents that do not fit.
    pub quota_divisor: usize,
    /// Its users and roles.
    pub principals: Vec<Principal>,
    /// Its groups.
    pub groups: Vec<Group>,
    /// Its managed policies, and AWS's that are attached.
    pub managed: Vec<Managed>,
    /// Who collected, by place.
    pub caller: Option<usize>,
    /// Whether a manifest says when, and that the files belong together.
    pub has_manifest: bool,
    /// Its KMS keys.
    pub kms: Vec<KmsKey>,
}

/// The size quotas: of managed policies, and of all inline policies of a user, role or group. See
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// Of a managed policy.
    pub managed: usize,
    /// Of a user.
    pub user: usize,
    /// Of a role.
    pub role: usize,
    /// Of a group.
    pub group: usize,
}

/// Who bears an inline policy, or has a managed one attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bearer {
    /// A user or role, by its place.
    Principal(usize),
    /// A group, by its place.
    Group(usize),
}

/// Where a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An inline policy of its bearer, by its place there.
    Inline(Bearer, usize),
    /// A managed policy, by its place.
    Managed(usize),
}

impl Scene {
    /// Returns when the collection began.
    pub fn started(&self) -> i64 {
        self.now - 900
    }

    /// Returns the size quotas.
    pub fn quotas(&self) -> Quotas {
        let by = self.quota_divisor;
        Quotas { managed: 6_144 / by, user: 2_048 / by, role: 10_240 / by, group: 5_120 / by }
    }

    /// Returns the address of a bearer: `role/ci`.
    pub fn bearer_address(&self, bearer: Bearer) -> String {
        match bearer {
            Bearer::Principal(at) => match self.principals.get(at) {
                Some(own) if own.is_role => format!("role/{}", own.name),
                Some(own) => format!("user/{}", own.name),
                None => String::new(),
            },
            Bearer::Group(at) => self.groups.get(at).map(|group| format!("group/{}", group.name)).unwrap_or_default(),
        }
    }

    /// Returns how plans name a managed policy behind `policy/` and `attached/`.
    pub fn managed_name(&self, at: usize) -> String {
        match self.managed.get(at) {
            Some(own) if own.is_aws => format!("aws:{}", own.name),
            Some(own) => own.name.clone(),
            None => String::new(),
        }
    }

    /// Returns the address of a document.
    pub fn address(&self, place: Place) -> String {
        match place {
            Place::Managed(at) => format!("policy/{}", self.managed_name(at)),
            Place::Inline(bearer, at) => {
                let name = self.inline_of(bearer).get(at).map(|inline| inline.name.as_str()).unwrap_or_default();
                format!("{}/inline/{name}", self.bearer_address(bearer))
            }
        }
    }

    /// Returns the inline policies of a bearer.
    pub fn inline_of(&self, bearer: Bearer) -> &[Inline] {
        match bearer {
            Bearer::Principal(at) => self.principals.get(at).map(|own| own.inline.as_slice()),
            Bearer::Group(at) => self.groups.get(at).map(|own| own.inline.as_slice()),
        }
        .unwrap_or_default()
    }

    /// Returns the managed policies attached to a bearer.
    pub fn attached_to(&self, bearer: Bearer) -> impl Iterator<Item = usize> + '_ {
        let attached = match bearer {
            Bearer::Principal(at) => self.principals.get(at).map(|own| &own.attached),
            Bearer::Group(at) => self.groups.get(at).map(|own| &own.attached),
        };
        attached.into_iter().flatten().copied()
    }

    /// Returns all bearers.
    pub fn bearers(&self) -> Vec<Bearer> {
        let principals = (0..self.principals.len()).map(Bearer::Principal);
        principals.chain((0..self.groups.len()).map(Bearer::Group)).collect()
    }

    /// Returns where all documents stand.
    pub fn places(&self) -> Vec<Place> {
        let inline = |bearer| (0..self.inline_of(bearer).len()).map(move |at| Place::Inline(bearer, at));
        let managed = (0..self.managed.len()).map(Place::Managed);
        self.bearers().into_iter().flat_map(inline).chain(managed).collect()
    }

    /// Returns a document.
    pub fn document(&self, place: Place) -> Option<&Document> {
        match place {
            Place::Managed(at) => self.managed.get(at).map(|own| &own.document),
            Place::Inline(bearer, at) => self.inline_of(bearer).get(at).map(|own| &own.document),
        }
    }

    /// Returns a document, to be changed.
    pub fn document_mut(&mut self, place: Place) -> Option<&mut Document> {
        let inline = match place {
            Place::Managed(at) => return self.managed.get_mut(at).map(|own| &mut own.document),
            Place::Inline(Bearer::Principal(owner), at) => self.principals.get_mut(owner)?.inline.get_mut(at),
            Place::Inline(Bearer::Group(owner), at) => self.groups.get_mut(owner)?.inline.get_mut(at),
        };
        inline.map(|own| &mut own.document)
    }

    /// Returns who hands a principal its policies: itself and its groups.
    pub fn sources_of(&self, principal: usize) -> Vec<Bearer> {
        let groups = self.principals.get(principal).into_iter().flat_map(|own| own.groups.iter());
        std::iter::once(Bearer::Principal(principal)).chain(groups.map(|at| Bearer::Group(*at))).collect()
    }

    /// Returns whether a document that the principal has to do with may depend on its tags, or on how it signed in.
    pub fn minds_tags(&self, principal: usize) -> bool {
        let boundary = self.principals.get(principal).and_then(|own| own.boundary).map(Place::Managed);
        let mut places = self.held_by(principal).into_iter().chain(boundary);
        places.any(|place| self.document(place).is_some_and(Document::asks_who))
    }

    /// Returns where the documents stand that a principal holds.
    pub fn held_by(&self, principal: usize) -> BTreeSet<Place> {
        let mut held = BTreeSet::new();
        for source in self.sources_of(principal) {
            held.extend((0..self.inline_of(source).len()).map(|at| Place::Inline(source, at)));
            held.extend(self.attached_to(source).map(Place::Managed));
        }
        held
    }
}
