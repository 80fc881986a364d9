//! An account with something to do of every kind, and what of it must be the same after a rollback.

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use quick_xml::Reader;
use quick_xml::events::Event;
use secateur_tests::emulator::Options;
use serde_json::json;

use crate::emulator::cloud::{Cloud, TRUST, allow};
use crate::workspace::root;

/// When the account was made: long before the evidence that counts begins.
const MADE: &str = "2025-01-10T06:00:00Z";

/// What every scene's configuration begins with.
pub const CONFIG: &str = "[evidence]\nmax_catalog_age_days = 36500\n";

/// One kind of change: more configuration, and which changes of the town.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub name: &'static str,
    pub config: &'static str,
    pub target: &'static [&'static str],
}

/// Every kind of change.
pub const KINDS: [Kind; 13] = [
    Kind { name: "put-role", config: "", target: &["role/put/inline/*"] },
    Kind { name: "put-user", config: "", target: &["user/writer/inline/*"] },
    Kind { name: "put-group", config: "", target: &["group/team/inline/*"] },
    Kind { name: "delete", config: "", target: &["role/del/inline/q"] },
    Kind { name: "delete-user", config: "", target: &["user/member/inline/q"] },
    Kind { name: "delete-group", config: "", target: &["group/team/inline/q"] },
    Kind { name: "update", config: "", target: &["policy/shared"] },
    Kind { name: "evict", config: "[apply]\nevict_oldest_version = true\n", target: &["policy/full"] },
    Kind { name: "detach", config: "", target: &["*/attached/idle"] },
    Kind { name: "detach-aws", config: "", target: &["role/queues/attached/*"] },
    Kind { name: "replace", config: "[rewrite]\naws_managed = \"replace\"\n", target: &["role/mixed/attached/*"] },
    Kind { name: "split", config: "[rewrite]\nsplit = true\nwildcards = \"never\"\n", target: &["policy/large"] },
    Kind { name: "deactivate", config: "", target: &["user/keyed/key/*"] },
];

/// Several entities at a time, in two phases: what grows nothing, and a policy that takes another's place.
pub const MANY: Kind = Kind {
    name: "many",
    config: "[rewrite]\naws_managed = \"replace\"\n",
    target: &[
        "role/put/inline/*",
        "user/writer/inline/*",
        "group/team/inline/*",
        "policy/shared",
        "user/keyed/key/*",
        "role/mixed/attached/*",
    ],
};

/// Puts more into a town before its clock shows the time that it is given.
pub type More = dyn Fn(&Cloud, &str) + Send + Sync;

/// Builds the town at a port, 0 for any; the clock then shows `now`.
pub fn build(port: u16, now: &str, more: &More) -> Cloud {
    let options = Options {
        port,
        now: Some(MADE.to_owned()),
        frozen: true,
        silent: true,
        account_id: Some(ACCOUNT.to_owned()),
        caller: Some(format!("arn:aws:iam::{ACCOUNT}:root")),
        ..Options::default()
    };
    let cloud = start(options);
    let both = allow(&["lambda:ListFunctions", "lambda:DeleteFunction"]);
    let queues = allow(&["sqs:CreateQueue", "sqs:DeleteQueue"]);
    let used = allow(&["lambda:ListFunctions"]);
    for role in ["put", "del", "one", "two", "full", "queues", "mixed", "large"] {
        role_with(&cloud, role, "p", if role == "put" { &both } else { &used });
    }
    cloud.iam("PutRolePolicy", &[("RoleName", "del"), ("PolicyName", "q"), ("PolicyDocument", &queues)]);
    for user in ["writer", "member", "keyed"] {
        cloud.user(user, if user == "writer" { &both } else { &used });
    }
    cloud.iam("CreateAccessKey", &[("UserName", "keyed")]);
    cloud.iam("CreateGroup", &[("GroupName", "team")]);
    cloud.iam("AddUserToGroup", &[("GroupName", "team"), ("UserName", "member")]);
    cloud.iam("PutGroupPolicy", &[("GroupName", "team"), ("PolicyName", "g"), ("PolicyDocument", &both)]);
    cloud.iam("PutGroupPolicy", &[("GroupName", "team"), ("PolicyName", "q"), ("PolicyDocument", &queues)]);
    cloud.iam("PutUserPolicy", &[("UserName", "member"), ("PolicyName", "q"), ("PolicyDocument", &queues)]);
    let shared = cloud.policy("shared", &both);
    let full = cloud.policy("full", &allow(&["lambda:ListFunctions", "lambda:DeleteFunction", "lambda:AddPermission"]));
    for action in ["AddPermission", "CreateAlias", "DeleteAlias", "DeleteFunction"] {
        let document = allow(&["lambda:ListFunctions", &format!("lambda:{action}")]);
        let default = if action == "DeleteFunction" { "true" } else { "false" };
        let params = [("PolicyArn", full.as_str()), ("PolicyDocument", &document), ("SetAsDefault", default)];
        cloud.iam("CreatePolicyVersion", &params);
    }
    let idle = cloud.policy("idle", &queues);
    let large = cloud.policy("large", &allow(&["connect:*"]));
    let of_aws = |name: &str, document: &str| {
        let arn = format!("arn:aws:iam::aws:policy/{name}");
        cloud.control("aws-policies", json!({ "arn": arn, "document": document }));
        arn
    };
    let (queue_access, mixed) = (of_aws("QueueAccess", &queues), of_aws("Mixed", &both));
    for (role, policy) in [
        ("one", &shared),
        ("two", &shared),
        ("full", &full),
        ("one", &idle),
        ("queues", &queue_access),
        ("mixed", &mixed),
        ("large", &large),
    ] {
        cloud.iam("AttachRolePolicy", &[("RoleName", role), ("PolicyArn", policy)]);
    }
    cloud.iam("AttachGroupPolicy", &[("GroupName", "team"), ("PolicyArn", &idle)]);
    cloud.iam("AttachUserPolicy", &[("UserName", "keyed"), ("PolicyArn", &idle)]);
    use_of(&cloud, now);
    more(&cloud, now);
    cloud.control("clock", json!({ "now": now, "frozen": false }));
    cloud
}

/// The account's id.
pub const ACCOUNT: &str = "123456789012";

/// The port may still be in the hands of the emulator before.
fn start(options: Options) -> Cloud {
    for _ in 0..100 {
        match secateur_tests::emulator::Running::start(&options) {
            Ok(running) => return Cloud { running },
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(50)),
        }
    }
    Cloud::with(options)
}

fn role_with(cloud: &Cloud, role: &str, policy: &str, document: &str) {
    cloud.iam("CreateRole", &[("RoleName", role), ("AssumeRolePolicyDocument", TRUST)]);
    cloud.iam("PutRolePolicy", &[("RoleName", role), ("PolicyName", policy), ("PolicyDocument", document)]);
}

/// Everybody lists functions; `large` uses every other tracked action of Amazon Connect: with those that are not
/// tracked too many names for one policy, and no more than that takes, since every plan of a town is made with it.
fn use_of(cloud: &Cloud, now: &str) {
    let day = now.get(..10).unwrap();
    let time = format!("{day}T00:00:00Z");
    let used = |kind: &str, name: &str, action: &str| {
        json!({
            "principal": format!("arn:aws:iam::{ACCOUNT}:{kind}/{name}"),
            "action": action,
            "time": time,
            "region": "eu-west-1",
        })
    };
    let mut all = Vec::new();
    for role in ["put", "del", "one", "two", "full", "queues", "mixed", "large"] {
        all.push(used("role", role, "lambda:ListFunctions"));
    }
    for user in ["writer", "member", "keyed"] {
        all.push(used("user", user, "lambda:ListFunctions"));
    }
    static LARGE: LazyLock<Vec<String>> = LazyLock::new(|| tracked("connect"));
    all.extend(LARGE.iter().step_by(2).map(|action| used("role", "large", action)));
    cloud.control("usage", json!(all));
}

/// The actions of a service that are tracked, by the catalogue.
pub fn tracked(service: &str) -> Vec<String> {
    let table = fs::read_to_string(root().join("crates/analyzer/catalog/actions.tsv")).unwrap();
    let rows = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let tracked = rows.filter(|row| row[0] == service && row[3] == "yes" && row[4].is_empty());
    tracked.map(|row| format!("{service}:{}", row[1])).collect()
}

/// Says that somebody has just used an action.
pub fn used_now(cloud: &Cloud, principal: &str, action: &str) {
    let state = cloud.running.control("GET", "state", &json!({})).unwrap();
    let now = state["now"].as_str().or(state["clock"]["now"].as_str()).unwrap_or_default().to_owned();
    let principal = format!("arn:aws:iam::{ACCOUNT}:{principal}");
    let entry = json!({ "principal": principal, "action": action, "time": now, "region": "eu-west-1" });
    cloud.control("usage", entry);
}

/// An element: its name, its text, and what is in it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }
    fn text(&self, name: &str) -> String {
        self.child(name).map(|child| child.text.clone()).unwrap_or_default()
    }
    fn members(&self, name: &str) -> impl Iterator<Item = &Element> {
        self.child(name).into_iter().flat_map(|list| &list.children)
    }
    fn find(&self, name: &str) -> Option<&Element> {
        if self.name == name {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(name))
    }
}

fn parse(xml: &str) -> Element {
    let mut reader = Reader::from_str(xml);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                open.push(Element { name, ..Element::default() });
            }
            Event::Empty(start) => {
                let name = start.name().as_ref().to_owned();
                open.last_mut().unwrap().children.push(Element { name, ..Element::default() });
            }
            Event::Text(text) => open.last_mut().unwrap().text.push_str(&text),
            Event::End(_) => {
                let done = open.pop().unwrap();
                open.last_mut().unwrap().children.push(done);
            }
            Event::Eof => return open.pop().unwrap(),
            _ => {}
        }
    }
}

/// Documents, attachments and the states of keys, by who has them; and of policies the document in force and all others. Ids
/// of versions may differ.
pub fn essence(cloud: &Cloud) -> BTreeMap<String, String> {
    let details = parse(&cloud.iam("GetAccountAuthorizationDetails", &[("MaxItems", "1000")]).body);
    let mut found = BTreeMap::new();
    for (list, name, inline) in [
        ("UserDetailList", "UserName", "UserPolicyList"),
        ("RoleDetailList", "RoleName", "RolePolicyList"),
        ("GroupDetailList", "GroupName", "GroupPolicyList"),
    ] {
        for entity in details.find(list).into_iter().flat_map(|list| &list.children) {
            let who = format!("{name} {}", entity.text(name));
            for policy in entity.members(inline) {
                found.insert(format!("{who} inline {}", policy.text("PolicyName")), policy.text("PolicyDocument"));
            }
            for policy in entity.members("AttachedManagedPolicies") {
                found.insert(format!("{who} attached {}", policy.text("PolicyArn")), String::new());
            }
            if name == "UserName" {
                let user = entity.text(name);
                let keys = parse(&cloud.iam("ListAccessKeys", &[("UserName", &user)]).body);
                for key in keys.find("AccessKeyMetadata").into_iter().flat_map(|list| &list.children) {
                    found.insert(format!("{who} key {}", key.text("AccessKeyId")), key.text("Status"));
                }
            }
        }
    }
    for policy in details.find("Policies").into_iter().flat_map(|list| &list.children) {
        let arn = policy.text("Arn");
        if arn.contains(":iam::aws:") {
            continue;
        }
        let mut others = Vec::new();
        for version in policy.members("PolicyVersionList") {
            match version.text("IsDefaultVersion").as_str() {
                "true" => {
                    found.insert(format!("{arn} in force"), version.text("Document"));
                }
                _ => others.push(version.text("Document")),
            }
        }
        others.sort();
        found.insert(format!("{arn} others"), others.join("\n"));
    }
    found
}
