//! An operation while it is carried out.

use std::sync::Arc;

use serde_json::Value;

use super::state::{Account, Caller, Kind, World};
use super::time::Time;
use super::wire::{Error, Params, Xml, marker};

/// What an operation may look at and change.
#[derive(Debug)]
pub struct Call<'a> {
    /// Everything.
    pub world: &'a mut World,
    /// The parameters.
    pub params: &'a Params,
    /// Who calls.
    pub caller: &'a Caller,
    /// The moment of the call.
    pub now: Time,
    /// The name of the operation.
    pub operation: &'static str,
}

/// An operation: what it is called, what it needs, what it does.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The service, as its namespace.
    pub service: &'static str,
    /// The name.
    pub name: &'static str,
    /// Whether it changes something.
    pub writes: bool,
    /// What it is about.
    pub resource: Resource,
    /// What it does.
    pub run: Run,
}

/// What an operation does.
#[derive(Clone, Copy, Debug)]
pub enum Run {
    /// Answered in XML.
    Xml(fn(&mut Call<'_>, &mut Xml) -> Result<(), Error>),
    /// Answered in JSON.
    Json(fn(&mut Call<'_>) -> Result<Value, Error>),
}

/// What an operation is about: the resource that permission is needed on.
#[derive(Clone, Copy, Debug)]
pub enum Resource {
    /// None: only `*` in a policy allows it.
    Any,
    /// Needs no permission.
    Free,
    /// The user, group or role that a parameter names; without one, the caller.
    Entity(Kind),
    /// The managed policy in `PolicyArn`.
    Policy,
    /// The managed policy that is being made.
    NewPolicy,
    /// The ARN in that parameter.
    Arn(&'static str),
    /// The KMS key in `KeyId`.
    Key,
    /// The user whose access key is in `AccessKeyId`.
    AccessKey,
    /// The account itself.
    Account,
}

impl Call<'_> {
    /// The account as reads see it.
    pub fn account(&self) -> Arc<Account> {
        Arc::clone(self.world.seen(self.now))
    }

    /// The moment of the call as entities, keys and policies bear it: to the second.
    pub const fn second(&self) -> Time {
        self.now.to_second()
    }

    /// The name that a parameter gives, or the caller's own, if a user calls.
    pub fn user_name(&self) -> Result<String, Error> {
        if let Some(name) = self.params.get("UserName") {
            return Ok(name.to_owned());
        }
        let account = self.world.account();
        let own = self.caller.entity_id().and_then(|id| account.by_id(id)).filter(|entity| entity.kind == Kind::User);
        let own = own.map(|user| user.name.clone());
        own.ok_or_else(|| Error::validation("Must specify userName when calling with non-User credentials"))
    }

    /// The page that the call asks for, of a list that is bound to what `bound_to` says.
    pub fn page(&self, bound_to: &str) -> Result<Page, Error> {
        self.page_of("MaxItems", "Marker", bound_to, 100, 1000, || Error::validation("Invalid Marker."))
    }

    /// The same, with other names and limits.
    pub fn page_of(
        &self,
        size: &str,
        name: &str,
        bound_to: &str,
        default: usize,
        most: usize,
        refusal: impl FnOnce() -> Error,
    ) -> Result<Page, Error> {
        let asked = self.params.number(size, 1, most)?.unwrap_or(default);
        let bound_to = format!("{}|{bound_to}", self.operation);
        let after = match self.params.get(name) {
            None | Some("") => None,
            Some(marker) => Some(marker::read(&bound_to, marker).ok_or_else(refusal)?),
        };
        Ok(Page { size: asked.min(self.world.behaviour.page_size), bound_to, after })
    }
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page {
    size: usize,
    bound_to: String,
    after: Option<String>,
}

impl Page {
    /// Takes the items of the page, and the marker of the next page if there is more.
    ///
    /// Items come with their keys, in order; a page begins after a key, so that it is of the state as it now is.
    pub fn take<K: AsRef<str>, T>(&self, items: impl Iterator<Item = (K, T)>) -> (Vec<T>, Option<String>) {
        let after = self.after.as_deref();
        let mut rest = items.skip_while(|(key, _)| after.is_some_and(|after| key.as_ref() <= after)).peekable();
        let mut taken = Vec::new();
        let mut last = None;
        while taken.len() < self.size {
            let Some((key, item)) = rest.next() else { break };
            taken.push(item);
            last = Some(key);
        }
        let marker = last.filter(|_| rest.peek().is_some()).map(|key| marker::make(&self.bound_to, key.as_ref()));
        (taken, marker)
    }

    /// The same for a list whose order is its own: the key is the position.
    pub fn take_listed<T>(&self, items: impl IntoIterator<Item = T>) -> (Vec<T>, Option<String>) {
        self.take(items.into_iter().enumerate().map(|(at, item)| (format!("{at:08}"), item)))
    }
}

/// Writes how a page ends.
pub fn page_end(xml: &mut Xml, marker: Option<&str>) {
    xml.value("IsTruncated", marker.is_some());
    xml.optional("Marker", marker);
}
