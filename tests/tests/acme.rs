//! The sample account in `docs/examples/acme`: its plan is what its README tells, and has everything that a plan can have.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::workspace::root;

/// Why actions go.
const REMOVED: [&str; 4] = ["idle-action", "idle-service", "unused-action", "unused-service"];

/// Why something is withheld in the account as it is.
const WITHHELD: [&str; 8] =
    ["dormant", "holder-left-alone", "ignored", "left-alone", "limit", "no-evidence", "no-holder", "rule-expired"];

/// Why something is withheld with another configuration: what to write instead of what.
const WITHHELD_ELSEWHERE: [(&str, &str, &str); 3] = [
    ("does-not-fit", "[limits]\n", "[rewrite]\nwildcards = \"never\"\n\n[limits]\n"),
    ("catalog-too-old", "[evidence]\n", "[evidence]\nmax_catalog_age_days = 7\n"),
    ("not-action", "[limits]\n", "[rewrite]\nnot_action = \"advise\"\n\n[limits]\n"),
];

/// What the account has left alone, each for another reason.
const LEFT_ALONE: [&str; 13] = [
    "duplicate key `Action`",
    "unknown key `Comment`",
    "the document cannot be read",
    "the document in force is not in the snapshot",
    "AWS counts 2 attachments and the snapshot has 1",
    "used as a permissions boundary",
    "a role that AWS reserves",
    "a role that AWS services rely on by its name",
    "the principal that collected the snapshot",
    "owned by CloudFormation",
    "owned by Terraform",
    "written in infra/edge/logging.tf",
    "written in infra/ci/github.tf",
];

/// The example, where tests may change it.
pub struct Acme {
    dir: TempDir,
}

impl Acme {
    pub fn copy() -> Acme {
        let dir = TempDir::new().unwrap();
        copy_folder(&example(), dir.path());
        Acme { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn replace(&self, name: &str, what: &str, by: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(what), "{name} has no `{what}`");
        fs::write(self.path(name), text.replace(what, by)).unwrap();
    }

    /// Takes a file out of the snapshot, as if it had not been collected.
    fn forget(&self, name: &str) {
        fs::remove_file(self.path("snapshot").join(name)).unwrap();
        let mut manifest = json(&self.path("snapshot/manifest.json"));
        manifest["files"].as_object_mut().unwrap().remove(name).unwrap();
        fs::write(self.path("snapshot/manifest.json"), manifest.to_string()).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(secateur_tests::binary());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SECATEUR_")) {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(self.dir.path()).stdin(Stdio::null()).output().unwrap()
    }

    pub fn plan_with(&self, flags: &[&str]) -> Output {
        let fixed = ["plan", "--config", "secateur.toml", "--snapshot", "snapshot", "--out", "plan.json"];
        self.run(&[&fixed, flags].concat())
    }

    /// Plans, and returns the plan file.
    pub fn plan(&self) -> Value {
        let output = self.plan_with(&[]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        json(&self.path("plan.json"))
    }
}

pub fn example() -> PathBuf {
    root().join("docs/examples/acme")
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| if entry.path().is_dir() { size(&entry.path()) } else { entry.metadata().unwrap().len() }).sum()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap()
}

fn reasons(entries: &[Value]) -> BTreeSet<&str> {
    entries.iter().map(|entry| entry["reason"].as_str().unwrap()).collect()
}

fn change<'a>(plan: &'a Value, address: &str) -> Option<&'a Value> {
    list(plan, "changes").iter().find(|change| change["address"] == address)
}

#[test]
fn the_plan_is_the_one_on_the_page() {
    let acme = Acme::copy();
    let output = acme.plan_with(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let page = example().join("plan.txt");
    if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
        fs::write(&page, &text).unwrap();
    }
    let expected = fs::read_to_string(&page).unwrap_or_default();
    let difference = text.lines().zip(expected.lines()).position(|(a, b)| a != b);
    assert!(
        text == expected,
        "the plan of docs/examples/acme is not plan.txt: it differs from line {} on. Look whether it should, then run \
         `UPDATE=1 cargo test -p secateur-tests acme` and review plan.txt and README.md there.\n{text}",
        difference.unwrap_or_else(|| text.lines().count().min(expected.lines().count())) + 1
    );
    assert_eq!(acme.plan_with(&["--detailed-exitcode"]).status.code(), Some(2));
    assert_eq!(acme.plan_with(&["--require-full-coverage"]).status.code(), Some(1));
}

#[test]
fn every_reason_occurs() {
    let acme = Acme::copy();
    let plan = acme.plan();
    let removed: Vec<Value> =
        list(&plan, "changes").iter().flat_map(|change| list(change, "removed")).cloned().collect();
    assert_eq!(reasons(&removed), BTreeSet::from(REMOVED));
    assert_eq!(reasons(list(&plan, "withheld")), BTreeSet::from(WITHHELD));

    let of_left_alone = |entry: &&Value| entry["reason"] == "left-alone";
    let details: Vec<&str> =
        list(&plan, "withheld").iter().filter(of_left_alone).map(|entry| entry["detail"].as_str().unwrap()).collect();
    for why in LEFT_ALONE {
        assert!(
            details.iter().any(|detail| detail.contains(why)),
            "nothing is left alone because: {why}\n{details:#?}"
        );
    }
}

#[test]
fn the_other_reasons_occur_with_another_configuration() {
    for (reason, what, by) in WITHHELD_ELSEWHERE {
        let acme = Acme::copy();
        acme.replace("secateur.toml", what, by);
        let plan = acme.plan();
        assert!(reasons(list(&plan, "withheld")).contains(reason), "{reason}");
    }
}

#[test]
fn the_numbers_add_up() {
    let plan = Acme::copy().plan();
    let summary = &plan["summary"];
    let changes = list(&plan, "changes");
    let count = |actions: &[&str]| {
        changes.iter().filter(|change| actions.contains(&change["action"].as_str().unwrap())).count()
    };
    assert_eq!(summary["add"], count(&["create", "attach"]));
    assert_eq!(summary["change"], count(&["update", "deactivate"]));
    assert_eq!(summary["destroy"], count(&["delete", "detach"]));
    assert_eq!(summary["withheld"], list(&plan, "withheld").len());
    assert_eq!(summary["gaps"], list(&plan, "gaps").len());
    assert_eq!(summary["frozen"], changes.iter().map(|change| list(change, "frozen").len()).sum::<usize>());
    assert_eq!(summary["kept_statements"], 1);
    assert_eq!(summary["assumed_grant_dates"], 0, "grants.json tells of every grant");

    let mut total = 0;
    for change in changes.iter().filter(|change| change["proof"].is_object()) {
        let removed: u64 = list(change, "removed").iter().map(|removed| removed["count"].as_u64().unwrap()).sum();
        let by_risk: u64 = change["risk"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!((removed, removed), (by_risk, change["proof"]["lost"].as_u64().unwrap()), "{}", change["address"]);
        total += removed;
    }
    assert_eq!(summary["removed_actions"], total);
}

#[test]
fn every_change_is_proved_again() {
    let acme = Acme::copy();
    acme.plan();
    let output = acme.run(&["verify", "plan.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));

    acme.replace("secateur.toml", "reason = \"whoever gets a new phone needs them\"", "reason = \"x\"");
    assert_eq!(acme.run(&["verify", "plan.json"]).status.code(), Some(3));
}

#[test]
fn what_came_lately_is_kept_by_the_versions_and_the_rest_by_the_event_history() {
    let acme = Acme::copy();
    let check = |plan: &Value| {
        let after = change(plan, "policy/payments-api").unwrap()["after"].as_str().unwrap().to_owned();
        assert!(after.contains("dynamodb:ExportTableToPointInTime"), "new in this version: {after}");
        assert!(!after.contains("dynamodb:UpdateTable"), "in the version before too: {after}");
        assert!(change(plan, "role/webhook-relay/inline/relay").is_none(), "it was written 10 days ago");
    };
    let plan = acme.plan();
    check(&plan);
    assert_eq!(plan["summary"]["assumed_grant_dates"], 0);
    acme.forget("grants.json");
    let plan = acme.plan();
    assert_eq!(plan["summary"]["assumed_grant_dates"], plan["summary"]["removed_actions"]);
}

#[test]
fn the_example_stays_small() {
    let size = size(&example());
    assert!(size < 1_500_000, "docs/examples/acme has {size} bytes");
}
