//! The account after a plan: its changes, carried out in memory.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::scene::{Bearer, Scene};

/// Documents by address, and what is attached to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The documents: `role/ci/inline/x`, `policy/y`, `policy/aws:z`.
    pub documents: BTreeMap<String, String>,
    /// By bearer, the names of managed policies, `aws:` before those of AWS.
    pub attached: BTreeMap<String, BTreeSet<String>>,
}

impl Outcome {
    /// Returns the account as it is.
    pub fn before(scene: &Scene) -> Outcome {
        let mut outcome = Outcome::default();
        for place in scene.places() {
            if let Some(document) = scene.document(place) {
                outcome.documents.insert(scene.address(place), document.text.clone());
            }
        }
        for bearer in scene.bearers() {
            let names = scene.attached_to(bearer).map(|at| scene.managed_name(at)).collect();
            outcome.attached.insert(scene.bearer_address(bearer), names);
        }
        outcome
    }

    /// Carries out the changes of a plan.
    ///
    /// # Errors
    /// When a change does not fit the account; says how.
    pub fn apply(&mut self, plan: &Value) -> Result<(), String> {
        for change in changes(plan) {
            let address = text(change, "address");
            self.one(change, address).map_err(|why| format!("{address}: {why}"))?;
        }
        Ok(())
    }

    fn one(&mut self, change: &Value, address: &str) -> Result<(), String> {
        let after = change.get("after").and_then(Value::as_str);
        let attachment = || {
            let (bearer, name) = address.split_once("/attached/").ok_or("no address of an attachment")?;
            Ok::<_, String>((bearer.to_owned(), name.to_owned()))
        };
        match text(change, "action") {
            "update" => {
                let own = self.documents.get_mut(address).ok_or("an update of what is not there")?;
                if change.get("before").and_then(Value::as_str) != Some(own) {
                    return Err("`before` is not what is there".to_owned());
                }
                *own = after.ok_or("an update to nothing")?.to_owned();
            }
            "delete" => {
                self.documents.remove(address).ok_or("a deletion of what is not there")?;
            }
            "create" => {
                let after = after.ok_or("a creation of nothing")?.to_owned();
                if self.documents.insert(address.to_owned(), after).is_some() {
                    return Err("a creation of what is there already".to_owned());
                }
            }
            "detach" => {
                let (bearer, name) = attachment()?;
                if !self.attached.get_mut(&bearer).is_some_and(|names| names.remove(&name)) {
                    return Err("a detachment of what is not attached".to_owned());
                }
            }
            "attach" => {
                let (bearer, name) = attachment()?;
                if !self.attached.get_mut(&bearer).is_some_and(|names| names.insert(name)) {
                    return Err("an attachment to nobody, or a second one".to_owned());
                }
            }
            "deactivate" => {}
            other => return Err(format!("`{other}` is no action")),
        }
        Ok(())
    }

    /// Returns the addresses of the documents that a principal holds.
    pub fn held_by(&self, scene: &Scene, principal: usize) -> Result<BTreeSet<String>, String> {
        let mut held = BTreeSet::new();
        for bearer in scene.sources_of(principal) {
            let bearer = scene.bearer_address(bearer);
            let prefix = format!("{bearer}/inline/");
            held.extend(self.documents.keys().filter(|address| address.starts_with(&prefix)).cloned());
            for name in self.attached.get(&bearer).into_iter().flatten() {
                let address = format!("policy/{name}");
                if !self.documents.contains_key(&address) {
                    return Err(format!("{address} is attached to {bearer} and is not there"));
                }
                held.insert(address);
            }
        }
        Ok(held)
    }

    /// Returns the characters that count of a bearer's inline policies.
    pub fn inline_size(&self, scene: &Scene, bearer: Bearer) -> usize {
        let prefix = format!("{}/inline/", scene.bearer_address(bearer));
        let own = self.documents.iter().filter(|(address, _)| address.starts_with(&prefix));
        own.map(|(_, text)| size(text)).sum()
    }
}

/// Returns the changes of a plan.
pub fn changes(plan: &Value) -> &[Value] {
    plan.get("changes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Returns a member that is a text; the empty one if it is not there.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the characters that count towards a quota: all but white space outside strings. See
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
pub fn size(text: &str) -> usize {
    // Between quotes and outside of them in turns; an escaped quote ends nothing.
    let hidden = text.replace("\\\\", "ee").replace("\\\"", "ee");
    let parts = hidden.split('"').enumerate();
    let counted = |(at, part): (usize, &str)| match at % 2 {
        0 => part.chars().filter(|c| !c.is_ascii_whitespace()).count(),
        _ => part.chars().count() + 2,
    };
    parts.map(counted).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn account() -> Outcome {
        let documents = [("policy/p", "{}"), ("role/r/inline/i", "[]")];
        Outcome {
            documents: documents.map(|(address, text)| (address.to_owned(), text.to_owned())).into(),
            attached: [("role/r".to_owned(), BTreeSet::from(["p".to_owned()]))].into(),
        }
    }

    #[test]
    fn changes_are_carried_out() {
        let mut outcome = account();
        let plan = json!({"changes": [
            {"address": "policy/q", "action": "create", "after": "{1}"},
            {"address": "role/r/attached/q", "action": "attach"},
            {"address": "role/r/attached/p", "action": "detach"},
            {"address": "role/r/inline/i", "action": "delete"},
            {"address": "policy/p", "action": "update", "before": "{}", "after": "{2}"},
        ]});
        outcome.apply(&plan).unwrap();
        let documents: Vec<_> = outcome.documents.iter().map(|(a, t)| (a.as_str(), t.as_str())).collect();
        assert_eq!(documents, [("policy/p", "{2}"), ("policy/q", "{1}")]);
        assert_eq!(outcome.attached["role/r"], BTreeSet::from(["q".to_owned()]));
    }

    #[test]
    fn changes_that_do_not_fit_are_refused() {
        for change in [
            json!({"address": "policy/p", "action": "update", "before": "{ }", "after": "{}"}),
            json!({"address": "policy/x", "action": "delete"}),
            json!({"address": "policy/p", "action": "create", "after": "{}"}),
            json!({"address": "role/r/attached/x", "action": "detach"}),
            json!({"address": "role/r/attached/p", "action": "attach"}),
            json!({"address": "role/r", "action": "forget"}),
        ] {
            assert!(account().apply(&json!({"changes": [change]})).is_err(), "{change}");
        }
    }

    #[test]
    fn white_space_counts_within_strings_only() {
        for (text, expect) in [("{ }", 2), ("{\n\t\"a b\" : 1 }", 9), (r#"{"a\" b": 1}"#, 11), ("\"é\"", 3)] {
            assert_eq!(size(text), expect, "{text}");
        }
    }
}
