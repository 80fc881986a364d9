//! Plans of drawn accounts: every change narrows, keeps, removes, and leaves the author's text alone.

use arbitrary::Unstructured;
use secateur::plan::{Change, ChangeAction, Plan, build};
use secateur::rewrite::NotActionRewrite;
use serde_json::Value;

use super::judge;
use super::raw::Skeleton;
use super::scene::{Fates, Policy, Scene, options};

/// Draws an account from the bytes, and judges the changes that are planned for it.
pub fn check(bytes: &[u8]) {
    let Ok(scene) = Scene::draw(&mut Unstructured::new(bytes)) else { return };
    for not_action in [NotActionRewrite::Extend, NotActionRewrite::Advise] {
        let plan = plan(&scene, not_action);
        for change in &plan.changes {
            check_change(&scene, change, not_action);
        }
        if scene.is_fresh && not_action == NotActionRewrite::Extend {
            scene.policies.iter().for_each(|policy| check_removed(&scene, policy, &plan));
        }
    }
}

fn plan(scene: &Scene, not_action: NotActionRewrite) -> Plan {
    let made = scene.make();
    let built = build(&made.analyze(), &options(not_action));
    assert!(built.unproved.is_empty(), "{:?}\n{scene:#?}", built.unproved);
    built.plan
}

fn check_change(scene: &Scene, change: &Change, not_action: NotActionRewrite) {
    let policy = scene.policy(&change.address);
    let fates = scene.fates(policy, &change.address);
    assert_eq!(change.before.as_deref(), Some(policy.text.as_str()));
    assert_eq!(change.after.is_some(), change.action == ChangeAction::Update, "{}", change.address);
    if let Some(complaint) = judge::complaint(&policy.text, change.after.as_deref(), &fates.must_stay) {
        panic!("{}: {complaint}\n{:?}\n{scene:#?}", change.address, change.after);
    }
    if let Some(after) = &change.after {
        check_text(&policy.text, after, &fates);
        let again = plan(&scene.with_text(&policy.address, after), not_action);
        let more = again.changes.iter().find(|more| more.address == change.address);
        assert!(more.is_none(), "{} changes again: {:?}\n{scene:#?}", change.address, more.map(|more| &more.after));
    }
}

/// What goes is gone, unless the plan says something else of it.
fn check_removed(scene: &Scene, policy: &Policy, plan: &Plan) {
    if plan.withheld.iter().any(|withheld| withheld.address == policy.address) {
        return;
    }
    let change = plan.changes.iter().find(|change| std::ptr::eq(scene.policy(&change.address), policy));
    let Some(after) = change.map_or(Some(&policy.text), |change| change.after.as_ref()) else { return };
    let mut goes = scene.fates(policy, &policy.address).goes;
    let readmitted = change.map(|change| change.readmitted.as_slice()).unwrap_or_default();
    goes.retain(|name| !readmitted.iter().flat_map(|entry| &entry.actions).any(|own| own.eq_ignore_ascii_case(name)));
    if let Some(left) = judge::left_over(after, &goes) {
        panic!("{} still has {left}\n{after}\n{scene:#?}", policy.address);
    }
}

/// What is no list of actions, or a list of which nothing goes, stays byte for byte.
fn check_text(before: &str, after: &str, fates: &Fates) {
    let (Some(old), Some(new)) = (Skeleton::of(before), Skeleton::of(after)) else {
        panic!("not to be taken apart: {before}\n{after}");
    };
    assert_eq!(old.around, new.around, "{before}\n{after}");
    let is_own = |separator: &&&str| !old.separators.contains(separator);
    assert_eq!(new.separators.iter().find(is_own), None, "{before}\n{after}");
    let mut rest = new.statements.iter();
    for own in old.statements.iter().filter(|own| is_untouched(own.text, fates)) {
        assert!(rest.any(|statement| statement.text == own.text), "{} is not in {after}", own.text);
    }
    for statement in &new.statements {
        let mut origins = old.statements.iter().filter(|own| own.around == statement.around).peekable();
        assert!(origins.peek().is_some(), "{} comes from none of {before}", statement.text);
        // An element is the author's own, or a name as JSON writes it.
        let authors: Vec<&str> = origins.flat_map(|own| own.elements.iter().copied()).collect();
        for element in statement.elements.iter().filter(|element| !authors.contains(element)) {
            let name: String = serde_json::from_str(element).unwrap_or_default();
            assert_eq!(Value::from(name).to_string(), *element);
        }
    }
}

/// Whether nothing of the statement may go.
fn is_untouched(text: &str, fates: &Fates) -> bool {
    let statement: Value = serde_json::from_str(text).unwrap_or_default();
    let must_stay = |name: &str| fates.must_stay.iter().any(|own| own == name);
    let mut names = super::evidence::ACTIONS.iter().map(|(name, _)| *name).filter(|name| !must_stay(name));
    !judge::is_open(&statement) || !names.any(|name| judge::is_about(&[&statement], name))
}
