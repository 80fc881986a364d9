//! That the soak finds what is wrong: plans that are right are made wrong, one way each.

use serde_json::{Value, json};

use super::outcome::{changes, text};
use super::scene::{self, Scene};
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

#[test]
fn keys_that_must_stay_or_go_are_told_apart() {
    let catalogue = Catalogue::load().unwrap();
    let (mut refused, mut missed, mut cut) = (0, 0, 0);
    for seed in 1..40 {
        let mut random = Random::new(seed);
        let all = OPTIONAL.iter().filter(|setting| setting.2 == "\"prune\"").copied().collect::<Vec<_>>();
        let mut settings = Settings::draw(&mut random, &all);
        let size = Size { fewest: 3, most: 4 };
        let scene = draw::draw(&catalogue, &Corpus::default(), &mut random, &mut settings, size);
        for (at, user) in scene.principals.iter().enumerate() {
            for key in user.keys.iter().flatten() {
                let address = format!("user/{}/key/{}", user.name, key.id);
                let plan = json!({"changes": [{"address": address, "action": "deactivate"}], "withheld": []});
                if !key.is_idle(&scene, &settings) {
                    assert!(examine::keys::access_keys(&scene, &settings, &plan).is_err(), "{key:?}");
                    refused += 1;
                } else if scene.caller != Some(at) && !settings.ignore.contains(&at) && !user.is_owned {
                    let nothing = json!({"changes": [], "withheld": []});
                    assert!(examine::keys::access_keys(&scene, &settings, &nothing).is_err(), "{key:?}");
                    missed += 1;
                }
            }
        }
        for place in scene.places() {
            cut += check_cuts(&scene, &settings, place);
        }
    }
    assert!(refused > 3 && missed > 3 && cut > 3, "{refused} {missed} {cut}");
}

/// A plan that says that the first key of the first statement leaves is wrong where the key is in use, or the statement is of
/// more than what KMS records; returns how many such were found.
fn check_cuts(scene: &Scene, settings: &Settings, place: scene::Place) -> usize {
    let document = scene.document(place).unwrap();
    let Ok(json) = serde_json::from_str::<Value>(&document.text) else { return 0 };
    let Some(arn) = json["Statement"][0]["Resource"][0].as_str().map(str::to_owned) else { return 0 };
    let is_used = |key: &keys::KmsKey| key.arn == arn && !key.is_unused(scene, settings);
    if !scene.kms.iter().any(is_used) {
        return 0;
    }
    let resources = json!([{"statement": 1, "arn": arn}]);
    let change = json!({"address": scene.address(place), "action": "update", "before": document.text, "after": document.text, "resources": resources});
    let plan = json!({"changes": [change], "withheld": []});
    assert!(examine::keys::without_unused(scene, settings, &plan).is_err(), "{plan}");
    1
}
