//! Every kind of change: what is there, and what is to be done.

use std::collections::BTreeMap;

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::{fingerprint, sha256_of};
use secateur_analyzer::time::UnixTime;

use super::sim::{Policy, World};
use crate::apply::approval::Proposal;
use crate::apply::{Destination, Origin, Place, Version, VersionRef, steps};
use crate::plan::{Change, ChangeAction, ExpectedHolder, ExpectedKey, Expects, Target};

/// What is there, and what is to be done.
pub struct Scene {
    pub name: &'static str,
    pub world: World,
    pub changes: Vec<Change>,
    pub evict: BTreeMap<Arn, Version>,
}

impl Scene {
    pub fn proposal(&self) -> Proposal {
        let changes: Vec<&Change> = self.changes.iter().collect();
        let place = Place { account: "111122223333", partition: "aws" };
        Proposal {
            origin: Origin::Plan { digest: sha256_of(self.name.as_bytes()) },
            destination: Destination {
                account: "111122223333".to_owned(),
                partition: "aws".to_owned(),
                endpoint: None,
            },
            steps: steps(&changes, &self.evict, place).unwrap(),
        }
    }
}

pub fn document(action: &str) -> String {
    format!(r#"{{"Statement": [{{"Effect": "Allow", "Action": {action:?}, "Resource": "*"}}]}}"#)
}

fn arn(resource: &str) -> Arn {
    format!("arn:aws:iam::111122223333:{resource}").parse().unwrap()
}

fn world() -> World {
    let mut world = World::default();
    for entity in ["role/ci", "user/ann", "user/bob", "group/ops"] {
        let id = format!("ID-{entity}");
        world.entities.insert(entity.to_owned(), id);
    }
    world.members.insert("ops".to_owned(), vec!["ann".to_owned()]);
    world
}

pub fn change(
    address: &str,
    action: ChangeAction,
    kind: &str,
    resource: &str,
    name: &str,
    owner: Option<&str>,
) -> Change {
    let unique_id = match kind.ends_with("_policy") && kind != "aws_iam_policy" || kind.ends_with("key") {
        true => format!("ID-{}", owner.unwrap()),
        false => "ANPA1".to_owned(),
    };
    let target = Target {
        kind: kind.to_owned(),
        arn: resource.parse().unwrap_or_else(|_| arn(resource)),
        name: name.to_owned(),
        unique_id,
        owner: owner.map(str::to_owned),
        default_version: None,
        versions: Vec::new(),
    };
    Change {
        address: address.to_owned(),
        expects: Expects {
            holders: vec![ExpectedHolder { arn: arn("role/ci"), unique_id: "ID-role/ci".to_owned() }],
            ..Expects::default()
        },
        ..Change::new(action, target)
    }
}

pub fn inline(name: &str, action: ChangeAction, after: Option<&str>) -> Change {
    Change {
        before: Some(document("s3:*")),
        after: after.map(document),
        ..change(&format!("role/ci/inline/{name}"), action, "aws_iam_role_policy", "role/ci", name, Some("role/ci"))
    }
}

fn policy(versions: usize) -> Policy {
    let versions: BTreeMap<String, String> =
        (1..=versions).map(|at| (format!("v{at}"), document(&format!("s3:V{at}")))).collect();
    let default = versions.keys().next_back().cloned().unwrap_or_default();
    Policy { unique_id: "ANPA1".to_owned(), default, next: versions.len(), versions }
}

fn update(versions: usize) -> Change {
    let own = policy(versions);
    let mut change = Change {
        before: own.versions.get(&own.default).cloned(),
        after: Some(document("s3:Less")),
        ..change("policy/shared", ChangeAction::Update, "aws_iam_policy", "policy/shared", "shared", None)
    };
    change.target.default_version = Some(own.default.clone());
    change.target.versions = own.versions.keys().cloned().collect();
    change.expects.versions.clone_from(&change.target.versions);
    change.expects.attachments = vec!["role/ci".to_owned()];
    change
}

fn attached(mut world: World, policy: &str, own: Option<Policy>) -> World {
    world.attached.insert("role/ci".to_owned(), vec![policy.to_owned()]);
    world.policies.extend(own.map(|own| (policy.to_owned(), own)));
    world
}

const SHARED: &str = "arn:aws:iam::111122223333:policy/shared";
pub const OF_AWS: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

fn attachment(action: ChangeAction, policy: &str, name: &str) -> Change {
    let kind = "aws_iam_role_policy_attachment";
    change(&format!("role/ci/attached/{name}"), action, kind, policy, name, Some("role/ci"))
}

/// The scene of that name.
pub fn scene(name: &str) -> Scene {
    all().into_iter().find(|scene| scene.name == name).unwrap()
}

/// One scene for every kind of change.
pub fn all() -> Vec<Scene> {
    let of_aws = || Policy {
        unique_id: "ANPAAWS".to_owned(),
        default: "v9".to_owned(),
        versions: BTreeMap::from([("v9".to_owned(), document("*"))]),
        next: 9,
    };
    let with_inline = |names: &[&str]| {
        let mut world = world();
        for name in names {
            world.inline.insert(("role/ci".to_owned(), (*name).to_owned()), document("s3:*"));
        }
        world
    };
    let scene = |name, world, changes| Scene { name, world, changes, evict: BTreeMap::new() };
    let shared = |versions| attached(world(), SHARED, Some(policy(versions)));
    let key = {
        let kind = "aws_iam_access_key";
        let owner = Some("user/ann");
        let mut key = change("user/ann/key/AKIA1", ChangeAction::Deactivate, kind, "user/ann", "AKIA1", owner);
        key.expects.access_key = Some(ExpectedKey { status: "Active".to_owned(), created: UnixTime(1_000) });
        key
    };
    let with_key = || {
        let mut world = world();
        world.keys.insert(("ann".to_owned(), "AKIA1".to_owned()), "Active".to_owned());
        world
    };
    let create = |name: &str| Change {
        after: Some(document("s3:Copy")),
        ..change(
            &format!("policy/{name}"),
            ChangeAction::Create,
            "aws_iam_policy",
            &format!("policy/{name}"),
            name,
            None,
        )
    };
    let mut detach = attachment(ChangeAction::Detach, SHARED, "shared");
    detach.expects.attachments = vec!["role/ci".to_owned()];
    detach.expects.document = Some(fingerprint(&document("s3:V1")));
    let grouped = |mut changes: Vec<Change>| {
        let addresses: Vec<String> = changes.iter().map(|change| change.address.clone()).collect();
        for (at, change) in changes.iter_mut().enumerate() {
            change.group = Some("group".to_owned());
            change.depends_on = addresses[..at].last().cloned().into_iter().collect();
        }
        changes.reverse();
        changes
    };
    let copy = "arn:aws:iam::111122223333:policy/Copy";
    let mut attach = attachment(ChangeAction::Attach, copy, "Copy");
    attach.target.unique_id = String::new();
    let mut off = attachment(ChangeAction::Detach, OF_AWS, "aws:ReadOnlyAccess");
    off.target.unique_id = "ANPAAWS".to_owned();
    let replace = grouped(vec![create("Copy"), attach.clone(), off]);
    let split = grouped(vec![create("Copy"), attach, update(2)]);
    let mut full = scene("update-with-evict", shared(5), vec![update(5)]);
    let oldest = Version { version: VersionRef::Id("v1".to_owned()), document: document("s3:V1") };
    full.evict.insert(SHARED.parse().unwrap(), oldest);
    vec![
        scene("put-inline", with_inline(&["a"]), vec![inline("a", ChangeAction::Update, Some("s3:Less"))]),
        scene("delete-inline", with_inline(&["a"]), vec![inline("a", ChangeAction::Delete, None)]),
        scene(
            "several-inline",
            with_inline(&["a", "b", "c"]),
            vec![
                inline("a", ChangeAction::Update, Some("s3:LongerThanItWas")),
                inline("b", ChangeAction::Delete, None),
                inline("c", ChangeAction::Update, Some("s3:A")),
            ],
        ),
        scene("update", shared(2), vec![update(2)]),
        full,
        scene("detach", shared(1), vec![detach]),
        scene("deactivate", with_key(), vec![key]),
        scene("replace", attached(world(), OF_AWS, Some(of_aws())), replace),
        scene("split", shared(2), split),
    ]
}
