//! AWS's own policies: what becomes of each of their attachments.

use std::collections::BTreeSet;

use super::super::outcome::{changes, text};
use super::super::scene::{Bearer, Place};
use super::super::settings::Settings;
use super::{Examination, group_of};
use crate::judge::actions::ActionSet;
use crate::judge::compare::{Before, Comparison};
use crate::judge::{Effect, Listed, Policy};

impl Examination<'_> {
    /// Each attachment of a policy of AWS's: it goes where nothing of it is used by anybody whom it reaches, and with
    /// `aws_managed = "replace"` a copy comes in its place that has what may not go, and nothing that must.
    pub(super) fn attachments(&mut self, settings: &Settings) -> Result<(), String> {
        let replaces = settings.optional.contains(&("rewrite", "aws_managed", "\"replace\""));
        for bearer in self.scene.bearers() {
            for at in self.scene.attached_to(bearer).collect::<Vec<_>>() {
                if self.scene.managed.get(at).is_some_and(|managed| managed.is_aws) {
                    self.attachment(bearer, at, replaces)?;
                }
            }
        }
        Ok(())
    }

    fn attachment(&mut self, bearer: Bearer, at: usize, replaces: bool) -> Result<(), String> {
        let place = Place::Managed(at);
        let name = self.scene.managed_name(at);
        let bearer_address = self.scene.bearer_address(bearer);
        let address = format!("{bearer_address}/attached/{name}");
        let principals = 0..self.scene.principals.len();
        let reached: BTreeSet<usize> = principals.filter(|at| self.scene.sources_of(*at).contains(&bearer)).collect();
        let Some(Ok(policy)) = self.scene.document(place).map(|document| &document.policy) else { return Ok(()) };
        let (may, must) = self.goes_for(&reached, place);
        let unknown = self.unknown(&reached);
        let is_gone = self.change_of(&address).is_some();
        if reached.is_empty() {
            return if is_gone { Err(format!("{address}: detached, and reaches nobody")) } else { Ok(()) };
        }
        let group = self.change_of(&address).and_then(group_of);
        let in_place: Vec<&Policy> = if is_gone {
            let own = changes(self.plan).iter().filter(|change| group.is_some() && group_of(change) == group);
            let attached = own.filter(|change| text(change, "action") == "attach");
            let names = attached.filter_map(|change| text(change, "address").split_once("/attached/"));
            let names = names.filter(|(own, _)| *own == bearer_address).map(|(_, name)| format!("policy/{name}"));
            names.filter_map(|address| self.read.get(&address)).collect()
        } else {
            vec![policy]
        };
        let own = changes(self.plan).iter().filter(|change| group.is_some() && group_of(change) == group);
        let readmitted = self.readmitted(own);
        let is_excused =
            self.does_not_fit(&name) || !is_gone && self.may_stay(&address, bearer, policy, &must, &unknown, replaces);
        let comparison = Comparison {
            catalogue: self.catalogue,
            before: &[Before { policy, may_go: &may, must_go: if is_excused { &readmitted } else { &must } }],
            after: &in_place,
            unknown: &unknown,
            excused: &readmitted,
            seed: self.seed,
        };
        let compared = comparison.compare();
        self.counts.judged += compared.judged;
        match compared.faults.first() {
            Some(fault) => Err(format!("{address}: {fault:?}, one of {}", compared.faults.len())),
            None => Ok(()),
        }
    }

    /// Whether the plan says that some copy does not fit without what must go; it does not say which.
    fn does_not_fit(&self, name: &str) -> bool {
        self.reasons(&format!("policy/{name}")).contains(&"does-not-fit")
    }

    /// What may and what must go for all of these holders.
    fn goes_for(&self, holders: &BTreeSet<usize>, place: Place) -> (ActionSet, ActionSet) {
        let all = || (*self.catalogue.all()).clone();
        let mut common = (all(), all());
        for holder in holders {
            let goes = self.oracle.of_holder(*holder, place);
            common.0.keep_common(&goes.may);
            common.1.keep_common(&goes.must);
        }
        common
    }

    /// Whether an attachment may stay as it is although something of it must go.
    fn may_stay(
        &self,
        address: &str,
        bearer: Bearer,
        policy: &Policy,
        must: &ActionSet,
        unknown: &BTreeSet<String>,
        replaces: bool,
    ) -> bool {
        let entries = self.plan.get("withheld").and_then(|entries| entries.as_array()).into_iter().flatten();
        let name = address.split_once("/attached/").map_or("", |(_, name)| name);
        let mut withheld = entries.map(|entry| text(entry, "address"));
        let is_withheld = withheld.any(|own| own == address || own == format!("policy/{name}"));
        let is_owned =
            matches!(bearer, Bearer::Principal(at) if self.scene.principals.get(at).is_some_and(|own| own.is_owned));
        let has_deny = policy.statements.iter().any(|statement| statement.effect == Effect::Deny);
        let mut allows = policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
        // A name that the catalogue does not know is never known to be unused; exceptions leave room for such.
        let is_used = allows.any(|statement| match &statement.actions {
            Listed::These(list) => list.iter().any(|pattern| {
                let set = self.catalogue.matches(pattern);
                set.is_empty() || !set.without(must).is_empty()
            }),
            Listed::AllBut(_) => true,
        });
        let is_used = is_used || unknown.iter().any(|name| policy.statements.iter().any(|own| own.is_about(name)));
        is_withheld || is_owned || has_deny || is_used && !replaces
    }
}
