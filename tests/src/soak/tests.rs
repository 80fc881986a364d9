//! That the soak finds what is wrong: plans that are right are made wrong, one way each.

use serde_json::Value;

use super::outcome::{changes, text};
use super::scene::Scene;
use super::*;
use crate::judge::{Effect, Listed, Policy};

/// A drawn account with its plan.
struct Drawn {
    soak: Soak,
    scene: Scene,
    settings: Settings,
    plan: Value,
}

fn drawn(seed: u64) -> Drawn {
    let soak = Soak::new(&crate::binary(), Size { fewest: 3, most: 4 }).unwrap();
    let folder = TempDir::new().unwrap();
    let (scene, settings, plan) = soak.plan(seed, folder.path()).unwrap();
    Drawn { soak, scene, settings, plan }
}

impl Drawn {
    fn examine(&self, plan: &Value) -> Result<Counts, String> {
        examine::examine(&self.soak.catalogue, &self.scene, &self.settings, plan, 1)
    }

    /// Changes the plan and returns what the judge says of it.
    #[track_caller]
    fn verdict_on(&self, edit: impl FnOnce(&mut Vec<Value>)) -> String {
        let mut plan = self.plan.clone();
        edit(plan["changes"].as_array_mut().unwrap());
        assert_ne!(plan, self.plan, "nothing was edited");
        self.examine(&plan).expect_err("the judge found nothing")
    }

    /// The place of an update whose document has an Allow statement with a list of two actions after.
    fn update(&self) -> Option<usize> {
        let is_good = |change: &Value| {
            text(change, "action") == "update" && after(change).is_some_and(|policy| two_actions(&policy).is_some())
        };
        changes(&self.plan).iter().position(is_good)
    }
}

fn after(change: &Value) -> Option<Policy> {
    Policy::parse(text(change, "after")).ok()
}

/// The first name of an Allow statement with several actions.
fn two_actions(policy: &Policy) -> Option<String> {
    policy.statements.iter().filter(|statement| statement.effect == Effect::Allow).find_map(|statement| {
        let Listed::These(list) = &statement.actions else { return None };
        let is_alone = |name: &&String| !name.contains('*') && list.len() > 1;
        list.first().filter(is_alone).cloned()
    })
}

#[test]
fn what_is_wrong_with_a_plan_is_found() {
    let drawn = (1..).map(drawn).find(|drawn| drawn.update().is_some()).unwrap();
    drawn.examine(&drawn.plan).unwrap();
    let at = drawn.update().unwrap();
    let name = two_actions(&after(&drawn.plan["changes"][at]).unwrap()).unwrap();
    let replace = |changes: &mut Vec<Value>, from: &str, to: &str| {
        changes[at]["after"] = Value::from(text(&changes[at], "after").replacen(from, to, 1));
    };
    let quoted = format!("\"{name}\"");

    let why = drawn.verdict_on(|changes| replace(changes, &quoted, "\"madeup:Action\""));
    assert!(why.contains("Widened") || why.contains("Lost"), "{why}");
    let why = drawn.verdict_on(|changes| replace(changes, &quoted, "\"*\""));
    assert!(why.contains("Widened"), "{why}");
    let why = drawn.verdict_on(|changes| replace(changes, "\"Resource\"", "\"NotResource\""));
    assert!(why.contains("comes from none"), "{why}");
    let why = drawn.verdict_on(|changes| {
        changes.remove(at);
    });
    assert!(why.contains("Left"), "{why}");
    let why = drawn.verdict_on(|changes| {
        let before = text(&changes[at], "before").to_owned();
        changes[at]["before"] = Value::from(format!("{before} "));
    });
    assert!(why.contains("`before` is not what is there"), "{why}");
    let why = drawn.verdict_on(|changes| changes[at]["action"] = Value::from("delete"));
    assert!(["Lost", "Deny", "is not there"].iter().any(|word| why.contains(word)), "{why}");
}
