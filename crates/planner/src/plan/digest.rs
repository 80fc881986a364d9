//! The digests of a plan.
//!
//! A plan may be large: its RFC 8785 form goes into the hash member by member and change by change, and never stands in
//! memory as a whole.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use secateur_analyzer::document::{Sha256, Sha256Writer};
use secateur_analyzer::parallel;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::canonical::Canonical;
use super::{Change, ChangeAction, Expects, Plan};

/// Returns the SHA-256 over the RFC 8785 form of the plan without its `digest`.
pub fn digest(plan: &Plan) -> Sha256 {
    let lists = Lists {
        blocked: |object: &mut Object<Quick>| object.list("blocked", &plan.blocked),
        changes: |object: &mut Object<Quick>| {
            object.list("changes", &plan.changes);
            plan.changes_digest
        },
    };
    whole(plan, lists)
}

/// Fills in both digests of a plan; several threads write its changes for the hashes.
pub(super) fn fill_in(plan: &mut Plan, threads: NonZeroUsize) {
    let mut essence = Sha256([0; 32]);
    let lists = Lists {
        blocked: |object: &mut Object<Quick>| {
            object.name("blocked");
            hash_list(threads, &plan.blocked, &mut object.hashing.hash);
        },
        changes: |object: &mut Object<Quick>| {
            object.name("changes");
            essence = hash_changes(threads, &plan.changes, &mut object.hashing.hash);
            essence
        },
    };
    let digest = whole(plan, lists);
    (plan.digest, plan.changes_digest) = (digest, essence);
}

/// How the long lists of a plan are hashed; the changes return their own digest.
struct Lists<B, C> {
    blocked: B,
    changes: C,
}

/// Hashes a plan without its `digest`.
fn whole(
    plan: &Plan,
    lists: Lists<impl FnOnce(&mut Object<Quick>), impl FnOnce(&mut Object<Quick>) -> Sha256>,
) -> Sha256 {
    let Plan {
        format_version,
        tool,
        digest: _,
        changes_digest: _,
        account,
        window,
        complete,
        gaps,
        inputs,
        principals,
        reports,
        changes: _,
        blocked: _,
        withheld,
        advice,
        summary,
    } = plan;
    let mut object = Object::new(Quick::default());
    object.member("account", account);
    object.list("advice", advice);
    (lists.blocked)(&mut object);
    let changes_digest = (lists.changes)(&mut object);
    object.member("changes_digest", &changes_digest);
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

/// What a change does: address, action, expectations, the text after, and the removed names.
#[derive(Serialize)]
struct Essence<'a> {
    action: ChangeAction,
    address: &'a str,
    after: Option<&'a str>,
    expects: &'a Expects,
    removed: Vec<&'a str>,
}

impl Essence<'_> {
    fn of(change: &Change) -> Essence<'_> {
        let mut removed: Vec<&str> =
            change.removed.iter().flat_map(|removed| &removed.actions).map(String::as_str).collect();
        // Each entry of a change has its names in order already, nearly.
        removed.sort();
        Essence {
            address: &change.address,
            action: change.action,
            expects: &change.expects,
            after: change.after.as_deref(),
            removed,
        }
    }
}

/// Returns the SHA-256 over what the changes do: address, action, expectations, the text after, and the removed names.
pub fn changes_digest(changes: &[Change]) -> Sha256 {
    let mut quick = Quick::default();
    write_list(changes, &mut quick, |change, quick| quick.value(&Essence::of(change)));
    quick.hash.finish()
}

/// Entries that are written at a time by one thread.
const PART: usize = 32;

/// With more parts than these written and not hashed, a thread waits for the one that hashes: the form of a plan is large.
const WAITING: usize = 8;

/// Hashes of lists, and how many parts they have taken.
struct Hashes<'h, const N: usize> {
    hashes: [&'h mut Sha256Writer; N],
    hashed: usize,
}

/// Texts of parts, one for each hash, that wait for those before them.
type Waiting<const N: usize> = Mutex<BTreeMap<usize, [Vec<u8>; N]>>;

impl<const N: usize> Hashes<'_, N> {
    /// Hashes what there is, in order, each text with a comma before every entry.
    fn catch_up(&mut self, waiting: &Waiting<N>) {
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.hashed);
            let Some(texts) = next else { return };
            for (hash, text) in self.hashes.iter_mut().zip(texts) {
                hash.update(text.strip_prefix(b",").filter(|_| self.hashed == 0).unwrap_or(&text));
            }
            self.hashed += 1;
        }
    }
}

/// Hashes a list in several forms at once. While some entries are written, those before them are hashed, by whoever finds
/// nobody at it.
fn hash_forms<T: Sync, const N: usize>(
    threads: NonZeroUsize,
    list: &[T],
    mut hashes: [&mut Sha256Writer; N],
    write: impl Fn(&T, &mut Canonical, &mut [Vec<u8>; N]) + Sync,
) {
    hashes.iter_mut().for_each(|hash| hash.update(b"["));
    let hashes = Mutex::new(Hashes { hashes, hashed: 0 });
    let waiting = Waiting::default();
    let parts: Vec<(usize, &[T])> = list.chunks(PART).enumerate().collect();
    parallel::map_with(threads, &parts, Canonical::default, |canonical, (at, part)| {
        let mut texts = [const { Vec::new() }; N];
        part.iter().for_each(|entry| write(entry, canonical, &mut texts));
        let is_full = {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.insert(*at, texts);
            waiting.len() > WAITING
        };
        let free = match is_full {
            true => Some(hashes.lock().unwrap_or_else(PoisonError::into_inner)),
            false => hashes.try_lock().ok(),
        };
        if let Some(mut hashes) = free {
            hashes.catch_up(&waiting);
        }
    });
    let mut hashes = hashes.into_inner().unwrap_or_else(PoisonError::into_inner);
    // What was written while another had the hashes.
    hashes.catch_up(&waiting);
    hashes.hashes.iter_mut().for_each(|hash| hash.update(b"]"));
}

/// Hashes a list of which each entry has one form.
fn hash_list<T: Serialize + Sync>(threads: NonZeroUsize, list: &[T], hash: &mut Sha256Writer) {
    hash_forms(threads, list, [hash], |entry, canonical, [text]| append(text, entry, canonical));
}

/// Hashes the list of changes as it stands in a plan, and returns the digest of what they do.
fn hash_changes(threads: NonZeroUsize, changes: &[Change], hash: &mut Sha256Writer) -> Sha256 {
    let mut own = Sha256Writer::default();
    hash_forms(threads, changes, [hash, &mut own], |change, canonical, [whole, own]| {
        append(whole, change, canonical);
        append(own, &Essence::of(change), canonical);
    });
    own.finish()
}

/// Appends a comma and the RFC 8785 form of an entry.
fn append(text: &mut Vec<u8>, entry: &impl Serialize, canonical: &mut Canonical) {
    text.push(b',');
    must(canonical.write(entry, |bytes| text.extend_from_slice(bytes)));
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
