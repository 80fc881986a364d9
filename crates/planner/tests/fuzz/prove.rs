//! Plans that were tampered with: what the proof lets pass must be right all the same.

use arbitrary::{Result, Unstructured};
use secateur::plan::{ChangeAction, Plan, build, verify};
use secateur::rewrite::NotActionRewrite;
use serde_json::Value;

use super::scene::{Scene, options};
use super::{document, judge};

/// What texts are tampered with.
const TOKENS: [&str; 18] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "*",
    "?",
    ":",
    "\"*\"",
    "\"aa:*\"",
    "\"Sid\":\"x\",",
    "\"Effect\":\"Allow\",",
    "\"Action\":\"*\",",
    "Not",
    "Deny",
    " ",
    "\\t",
];

/// Draws an account, plans, proves the plan again, and tries to get a change past the proof that does something else.
pub fn check(bytes: &[u8]) {
    let mut u = Unstructured::new(bytes);
    let Ok(scene) = Scene::draw(&mut u) else { return };
    let made = scene.make();
    let analysis = made.analyze();
    let options = options(NotActionRewrite::Extend);
    let built = build(&analysis, &options);
    assert!(built.unproved.is_empty(), "{:?}\n{scene:#?}", built.unproved);
    assert_eq!(verify(&built.plan, &analysis, &options), Ok(()), "{scene:#?}");
    let Ok(Some((at, plan))) = tampered(&mut u, &built.plan) else { return };
    let (Some(change), Some(honest)) = (plan.changes.get(at), built.plan.changes.get(at)) else { return };
    let policy = scene.policy(&change.address);
    if change.after == honest.after {
        return;
    }
    let Err(refusals) = verify(&plan, &analysis, &options) else {
        panic!("{} was tampered with: {:?}\n{scene:#?}", change.address, change.after);
    };
    // Where the texts pass the proof, what the plan says of them does not fit.
    let own = refusals.iter().filter(|refusal| refusal.address == change.address);
    let is_proved = |name: &str| name.starts_with("edited-") && name != "edited-action";
    if own.map(|refusal| refusal.name.as_str()).all(is_proved) {
        let must_stay = scene.fates(policy, &change.address).must_stay;
        if let Some(complaint) = judge::complaint(&policy.text, change.after.as_deref(), &must_stay) {
            panic!("{} is proved: {complaint}\n{:?}\n{scene:#?}", change.address, change.after);
        }
    }
}

/// The plan with another document after one of its changes, and which.
fn tampered(u: &mut Unstructured<'_>, plan: &Plan) -> Result<Option<(usize, Plan)>> {
    if plan.changes.is_empty() {
        return Ok(None);
    }
    let at = u.choose_index(plan.changes.len())?;
    let mut plan = plan.clone();
    let Some(change) = plan.changes.get_mut(at) else { return Ok(None) };
    let Some(mut text) = change.after.clone().or(change.before.clone()) else { return Ok(None) };
    if u.int_in_range(0..=15)? == 15 && change.target.owner.is_some() {
        (change.action, change.after) = (ChangeAction::Delete, None);
        return Ok(Some((at, plan)));
    }
    for _ in 0..u.int_in_range(1..=3)? {
        text = if u.int_in_range(0..=3)? == 3 { with_token(u, &text)? } else { with_other_statements(u, &text)? };
    }
    (change.action, change.after) = (ChangeAction::Update, Some(text));
    Ok(Some((at, plan)))
}

/// The text with a few bytes replaced.
fn with_token(u: &mut Unstructured<'_>, text: &str) -> Result<String> {
    let start = u.choose_index(text.len() + 1)?;
    let end = (start + u.int_in_range(0..=8)?).min(text.len());
    let token = *u.choose(&TOKENS)?;
    match (text.get(..start), text.get(end..)) {
        (Some(head), Some(tail)) => Ok(format!("{head}{token}{tail}")),
        _ => Ok(text.to_owned()),
    }
}

/// The document with a statement changed, doubled, moved or taken out.
fn with_other_statements(u: &mut Unstructured<'_>, text: &str) -> Result<String> {
    let mut document: Value = serde_json::from_str(text).unwrap_or_default();
    let mut statements = judge::statements(&document);
    if statements.is_empty() {
        return Ok(text.to_owned());
    }
    let at = u.choose_index(statements.len())?;
    match u.int_in_range(0..=9)? {
        0 => drop(statements.remove(at)),
        1 => statements.extend(statements.get(at).cloned()),
        2 => {
            let other = u.choose_index(statements.len())?;
            statements.swap(at, other);
        }
        _ => {
            if let Some(Value::Object(members)) = statements.get_mut(at) {
                with_other_elements(u, members)?;
            }
        }
    }
    if let Some(members) = document.as_object_mut() {
        members.insert("Statement".to_owned(), Value::Array(statements));
        if u.int_in_range(0..=15)? == 15 {
            members.insert("Version".to_owned(), Value::from("2008-10-17"));
        }
    }
    Ok(document.to_string())
}

/// Changes a statement.
fn with_other_elements(u: &mut Unstructured<'_>, members: &mut serde_json::Map<String, Value>) -> Result<()> {
    let key = if members.contains_key("Action") { "Action" } else { "NotAction" };
    let mut list = match members.remove(key) {
        Some(Value::Array(list)) => list,
        single => single.into_iter().collect(),
    };
    let mut key = key;
    match u.int_in_range(0..=11)? {
        0..=3 => list.push(Value::from(document::pattern(u)?)),
        4..=6 if !list.is_empty() => drop(list.remove(u.choose_index(list.len())?)),
        7 | 8 if !list.is_empty() => {
            let at = u.choose_index(list.len())?;
            list.splice(at..=at, [Value::from(document::pattern(u)?)]).for_each(drop);
        }
        9 => key = if key == "Action" { "NotAction" } else { "Action" },
        10 => {
            members.insert("Effect".to_owned(), Value::from(*u.choose(&["Allow", "Deny"])?));
        }
        _ => {
            let (element, value) = *u.choose(&[("Sid", "S"), ("Sid", "T"), ("Resource", "r0"), ("Resource", "*")])?;
            members.insert(element.to_owned(), Value::from(value));
        }
    }
    members.insert(key.to_owned(), Value::Array(list));
    Ok(())
}
