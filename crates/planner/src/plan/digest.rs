//! The digests of a plan.
//!
//! A plan may be large: its RFC 8785 form goes into the hash member by member and change by change, and never stands in
//! memory as a whole.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use secateur_analyzer::document::{Sha256, Sha256Writer};
use secateur_analyzer::parallel;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::canonical::Canonical;
use super::{Change, ChangeAction, Expects, Plan};

/// Returns the SHA-256 over the RFC 8785 form of the plan without its `digest`.
pub fn digest(plan: &Plan) -> Sha256 {
    digest_on(plan, NonZeroUsize::MIN)
}

/// The same, with some threads to write changes for the hash.
pub(super) fn digest_on(plan: &Plan, threads: NonZeroUsize) -> Sha256 {
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
        blocked,
        withheld,
        advice,
        summary,
    } = plan;
    let mut object = Object::new(Quick::default());
    object.member("account", account);
    object.list("advice", advice);
    object.list("blocked", blocked);
    object.name("changes");
    write_list_on(threads, changes, &mut object.hashing.hash, |change, quick, then| quick.write(change, then));
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
        let mut other = Reference::default();
        other.value(&serde_json::from_slice::<Value>(bytes)?);
        return Ok(other.hash.finish());
    };
    let mut object = Object::new(Reference::default());
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
    changes_digest_on(changes, NonZeroUsize::MIN)
}

/// The same, with some threads to write changes for the hash.
pub(super) fn changes_digest_on(changes: &[Change], threads: NonZeroUsize) -> Sha256 {
    #[derive(Serialize)]
    struct Essence<'a> {
        action: ChangeAction,
        address: &'a str,
        after: Option<&'a str>,
        expects: &'a Expects,
        removed: Vec<&'a str>,
    }
    let mut hash = Sha256Writer::default();
    write_list_on(threads, changes, &mut hash, |change, canonical, then| {
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
        canonical.write(&essence, then)
    });
    hash.finish()
}

/// Changes that are written at a time by one thread, and how many times as many stand in memory at most.
const PART: usize = 32;
const PARTS: usize = 8;

/// Hashes a list of changes that several threads write, in order.
fn write_list_on(
    threads: NonZeroUsize,
    changes: &[Change],
    hash: &mut Sha256Writer,
    write: impl Fn(&Change, &mut Canonical, &mut dyn FnMut(&[u8])) -> serde_json::Result<()> + Sync,
) {
    hash.update(b"[");
    let parts: Vec<&[Change]> = changes.chunks(PART).collect();
    let mut is_first = true;
    for some in parts.chunks(PARTS) {
        let texts = parallel::map_with(threads, some, Canonical::default, |canonical, part| {
            let mut text = Vec::new();
            for change in *part {
                text.push(b',');
                must(write(change, canonical, &mut |bytes| text.extend_from_slice(bytes)));
            }
            text
        });
        for text in texts {
            hash.update(text.strip_prefix(b",").filter(|_| is_first).unwrap_or(&text));
            is_first = false;
        }
    }
    hash.update(b"]");
}

/// Returns the SHA-256 over the RFC 8785 form of plain data.
pub(crate) fn canonical_sha256(value: &impl Serialize) -> Sha256 {
    let mut reference = Reference::default();
    reference.value(value);
    reference.hash.finish()
}

/// A hash that takes values in RFC 8785 form.
trait Hashing {
    fn hash(&mut self) -> &mut Sha256Writer;
    fn value<T: Serialize + ?Sized>(&mut self, value: &T);
}

/// For what secateur has made itself.
#[derive(Default)]
struct Quick {
    hash: Sha256Writer,
    canonical: Canonical,
}

/// For files.
#[derive(Default)]
struct Reference {
    hash: Sha256Writer,
}

impl Hashing for Quick {
    fn hash(&mut self) -> &mut Sha256Writer {
        &mut self.hash
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        let Quick { hash, canonical } = self;
        must(canonical.write(value, |bytes| hash.update(bytes)));
    }
}

impl Hashing for Reference {
    fn hash(&mut self) -> &mut Sha256Writer {
        &mut self.hash
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        let formatter = canon_json::CanonicalFormatter::new();
        must(value.serialize(&mut serde_json::Serializer::with_formatter(&mut self.hash, formatter)));
    }
}

#[expect(
    clippy::expect_used,
    reason = "these types hold strings, integers and string keys: nothing that JSON lacks; a hash takes all bytes; and a \
              digest of something else must not come out"
)]
fn must(written: serde_json::Result<()>) {
    written.expect("plain data is JSON");
}

/// An object in RFC 8785 form, of which the members are written in the order of their names.
struct Object<H> {
    hashing: H,
    is_empty: bool,
}

impl<H: Hashing> Object<H> {
    fn new(mut hashing: H) -> Object<H> {
        hashing.hash().update(b"{");
        Object { hashing, is_empty: true }
    }

    fn name(&mut self, name: &str) {
        if !self.is_empty {
            self.hashing.hash().update(b",");
        }
        self.is_empty = false;
        self.hashing.value(name);
        self.hashing.hash().update(b":");
    }

    fn member(&mut self, name: &str, value: &impl Serialize) {
        self.name(name);
        self.hashing.value(value);
    }

    fn list(&mut self, name: &str, values: &[impl Serialize]) {
        self.name(name);
        write_list(values, &mut self.hashing, |value, hashing| hashing.value(value));
    }

    fn finish(mut self) -> Sha256 {
        self.hashing.hash().update(b"}");
        std::mem::take(self.hashing.hash()).finish()
    }
}

fn write_list<T, H: Hashing>(values: &[T], hashing: &mut H, mut write: impl FnMut(&T, &mut H)) {
    hashing.hash().update(b"[");
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            hashing.hash().update(b",");
        }
        write(value, hashing);
    }
    hashing.hash().update(b"]");
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
