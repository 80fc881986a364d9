//! The digests of a plan.
//!
//! A plan may be large: its RFC 8785 form goes into the hash member by member and change by change, and never stands in
//! memory as a whole.

use std::collections::BTreeMap;

use secateur_analyzer::document::{Sha256, Sha256Writer};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Change, ChangeAction, Expects, Plan};

/// Returns the SHA-256 over the RFC 8785 form of the plan without its `digest`.
pub fn digest(plan: &Plan) -> Sha256 {
    let Plan {
        format_version,
        tool,
        digest: _,
        changes_digest,
        account,
        window,
        complete,
        gaps,
        inputs,
        principals,
        reports,
        changes,
        withheld,
        advice,
        summary,
    } = plan;
    let mut object = CanonicalObject::new();
    object.member("account", account);
    object.list("advice", advice);
    object.list("changes", changes);
    object.member("changes_digest", changes_digest);
    object.member("complete", complete);
    object.member("format_version", format_version);
    object.list("gaps", gaps);
    object.member("inputs", inputs);
    object.list("principals", principals);
    object.list("reports", reports);
    object.member("summary", summary);
    object.member("tool", tool);
    object.member("window", window);
    object.list("withheld", withheld);
    object.finish()
}

/// Returns the digest of a plan as it stands in its file.
pub(super) fn digest_of_file(bytes: &[u8]) -> Result<Sha256, serde_json::Error> {
    let Ok(members) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(bytes) else {
        // No object, so no plan; its digest is none that a plan can have.
        let mut hash = Sha256Writer::new();
        write_canonical(&serde_json::from_slice::<Value>(bytes)?, &mut hash);
        return Ok(hash.finish());
    };
    let mut object = CanonicalObject::new();
    for (name, raw) in members.iter().filter(|(name, _)| *name != "digest") {
        match serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
            Ok(list) => object.list(name, &list),
            Err(_) => object.member(name, &serde_json::from_str::<Value>(raw.get())?),
        }
    }
    Ok(object.finish())
}

/// Returns the SHA-256 over what the changes do: address, action, expectations, the text after, and the removed names.
pub fn changes_digest(changes: &[Change]) -> Sha256 {
    #[derive(Serialize)]
    struct Essence<'a> {
        action: ChangeAction,
        address: &'a str,
        after: Option<&'a str>,
        expects: &'a Expects,
        removed: Vec<&'a str>,
    }
    let essence = |change: &'_ Change, hash: &mut Sha256Writer| {
        let mut removed: Vec<&str> =
            change.removed.iter().flat_map(|removed| &removed.actions).map(String::as_str).collect();
        removed.sort_unstable();
        let essence = Essence {
            address: &change.address,
            action: change.action,
            expects: &change.expects,
            after: change.after.as_deref(),
            removed,
        };
        write_canonical(&essence, hash);
    };
    let mut hash = Sha256Writer::new();
    write_list(changes, &mut hash, essence);
    hash.finish()
}

/// An object in RFC 8785 form, of which the members are written in the order of their names.
struct CanonicalObject {
    hash: Sha256Writer,
    is_empty: bool,
}

impl CanonicalObject {
    fn new() -> CanonicalObject {
        let mut hash = Sha256Writer::new();
        hash.update(b"{");
        CanonicalObject { hash, is_empty: true }
    }

    fn name(&mut self, name: &str) {
        if !self.is_empty {
            self.hash.update(b",");
        }
        self.is_empty = false;
        write_canonical(name, &mut self.hash);
        self.hash.update(b":");
    }

    fn member(&mut self, name: &str, value: &impl Serialize) {
        self.name(name);
        write_canonical(value, &mut self.hash);
    }

    fn list(&mut self, name: &str, values: &[impl Serialize]) {
        self.name(name);
        write_list(values, &mut self.hash, |value, hash| write_canonical(value, hash));
    }

    fn finish(mut self) -> Sha256 {
        self.hash.update(b"}");
        self.hash.finish()
    }
}

fn write_list<T>(values: &[T], hash: &mut Sha256Writer, mut write: impl FnMut(&T, &mut Sha256Writer)) {
    hash.update(b"[");
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            hash.update(b",");
        }
        write(value, hash);
    }
    hash.update(b"]");
}

#[expect(
    clippy::expect_used,
    reason = "these types hold strings, integers and string keys: nothing that JSON lacks; a hash takes all bytes; and a \
              digest of something else must not come out"
)]
fn write_canonical<T: Serialize + ?Sized>(value: &T, hash: &mut Sha256Writer) {
    let mut serializer = serde_json::Serializer::with_formatter(hash, canon_json::CanonicalFormatter::new());
    value.serialize(&mut serializer).expect("plain data is JSON");
}

#[cfg(test)]
mod tests {
    use secateur_analyzer::document::sha256_of;

    use super::*;

    /// Made anew in one piece, by way of a value.
    fn check(json: &str) {
        let mut value: Value = serde_json::from_str(json).unwrap();
        if let Some(members) = value.as_object_mut() {
            members.remove("digest");
        }
        let mut whole = Vec::new();
        let formatter = canon_json::CanonicalFormatter::new();
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut whole, formatter)).unwrap();
        assert_eq!(digest_of_file(json.as_bytes()).unwrap(), sha256_of(&whole), "{json}");
    }

    #[test]
    fn a_digest_in_parts_is_that_of_the_whole() {
        check("{}");
        check(r#"{"digest": "x"}"#);
        check(r#"{"b": [{"z": 1, "a": "\u00e9\n\u001f\/"}, [], null], "digest": 1, "a": {"y": [1, 2], "x": {}}}"#);
        check(r#"{"\u0061": [true, -7, "\ud83d\ude00"], "B": []}"#);
        check(r#"[{"b": 1, "a": 2}]"#);
        assert!(digest_of_file(b"{").is_err());
    }
}
