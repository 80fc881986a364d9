//! Which actions a pattern matches.

use std::ops::Range;

use super::{ActionId, ActionSet, Catalog, Row, ServiceId};
use crate::action::ActionPattern;
use crate::document::ActionBlock;

impl Catalog {
    /// Calls `found` with each action that the pattern matches, in order.
    pub fn each_match(&self, pattern: &ActionPattern, mut found: impl FnMut(ActionId)) {
        self.each_run(pattern, |run| (run.start.0..run.end.0).map(ActionId).for_each(&mut found));
    }

    /// Calls `found` with runs of actions, all that the pattern matches, in order: most patterns with wildcards are
    /// `service:*` or `service:Prefix*`, which match what stands together.
    pub fn each_run(&self, pattern: &ActionPattern, mut found: impl FnMut(Range<ActionId>)) {
        if !pattern.has_wildcard() {
            self.named(pattern).into_iter().map(only).for_each(found);
            return;
        }
        let (service, action) = (pattern.service(), pattern.action());
        if pattern.folded() == "*" {
            return found(ActionId(0)..self.end());
        }
        // No name has a tab, and the table below has one where the colon is.
        if pattern.folded().contains('\t') {
            return;
        }
        // A star before the colon may swallow the colon: `*Get*` matches, and so may a pattern with two colons.
        if service.contains('*') || action.contains(':') || service.is_empty() {
            // In the table a tab stands where the colon of the name is, and no name has either.
            let pattern = pattern.folded().replace(':', "\t");
            let matches =
                |id: &ActionId| crate::wildcard::matches(pattern.as_bytes(), self.folded_line(*id).as_bytes());
            self.actions().filter(matches).map(only).for_each(found);
            return;
        }
        let literal = action.find(['*', '?']).map_or(action, |at| action.get(..at).unwrap_or_default());
        let ends_in_star = action.len() == literal.len() + 1 && action.ends_with('*');
        let matches = |id: &ActionId| crate::wildcard::matches(action.as_bytes(), self.folded_name(*id).as_bytes());
        for candidate in self.services_matching(service) {
            let run = self.beginning_with(candidate, literal);
            match ends_in_star {
                true if run.is_empty() => {}
                true => found(run),
                false => (run.start.0..run.end.0).map(ActionId).filter(matches).map(only).for_each(&mut found),
            }
        }
    }

    /// Returns the set of actions that the pattern matches.
    pub fn matches(&self, pattern: &ActionPattern) -> ActionSet {
        let mut set = self.empty_set();
        self.each_run(pattern, |run| set.insert_run(run));
        set
    }

    /// Returns the set of actions that a statement's `Action` or `NotAction` is about.
    pub fn covered(&self, block: &ActionBlock) -> ActionSet {
        let mut listed = self.empty_set();
        for entry in &block.list().entries {
            self.each_run(&entry.pattern, |run| listed.insert_run(run));
        }
        match block {
            ActionBlock::Action(_) => listed,
            ActionBlock::NotAction(_) => {
                let mut others = self.full_set();
                others.difference_with(&listed);
                others
            }
        }
    }

    /// The actions of a service whose names begin with a text in lower case. The names of a service stand in order.
    fn beginning_with(&self, service: ServiceId, literal: &str) -> Range<ActionId> {
        let all = self.range_of(service);
        if literal.is_empty() {
            return all;
        }
        let rows = self.actions.get(all.start.index()..all.end.index()).unwrap_or_default();
        let name = |row: &Row| self.folded_text(&row.name);
        let start = rows.partition_point(|row| name(row) < literal);
        let rest = rows.get(start..).unwrap_or_default();
        let end = start + rest.partition_point(|row| name(row).starts_with(literal));
        let id = |offset: usize| ActionId(all.start.0.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)));
        id(start)..id(end)
    }

    fn services_matching(&self, folded: &str) -> Vec<ServiceId> {
        if folded.contains(['*', '?']) {
            let matches = |id: &ServiceId| {
                let name = self.services.get(id.index()).map_or("", |service| self.folded_text(&service.name));
                crate::wildcard::matches(folded.as_bytes(), name.as_bytes())
            };
            self.services().filter(matches).collect()
        } else {
            self.service(folded).into_iter().collect()
        }
    }

    /// The id behind the last action.
    fn end(&self) -> ActionId {
        ActionId(u32::try_from(self.actions.len()).unwrap_or(u32::MAX))
    }
}

fn only(id: ActionId) -> Range<ActionId> {
    id..ActionId(id.0.saturating_add(1))
}
