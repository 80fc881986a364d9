//! What is to become of one policy's document, before it is proved.

use secateur_analyzer::document::{PolicyDocument, counted_characters};
use secateur_analyzer::graph::{Graph, PolicyId};

use super::Withheld;
use crate::rewrite::{MAX_NAMES, NotActionRewrite, Outcome, Rewriting, Rewritten, Splitting, rewrite};

/// A rewrite of a document, and what to fall back to where it does not fit its quota.
pub(super) struct Draft<'a> {
    pub policy: PolicyId,
    pub document: &'a PolicyDocument,
    pub rewritten: Rewritten,
    /// Shorter rewrites that leave more as written; the next one last.
    rest: Vec<Rewritten>,
}

impl<'a> Draft<'a> {
    /// Rewrites a document. A rewrite that makes it longer has fallbacks: `NotAction` extended by whole services only, then
    /// patterns as written, then `NotAction` as written.
    pub fn new(policy: PolicyId, document: &'a PolicyDocument, by: &Rewriting<'_>) -> Draft<'a> {
        let first = rewrite(document, by);
        let mut draft = Draft { policy, document, rewritten: first, rest: Vec::new() };
        if draft.growth() <= 0 && !draft.rewritten.is_too_long {
            return draft;
        }
        let by_service = match by.not_action {
            NotActionRewrite::Extend => NotActionRewrite::ExtendByService,
            other => other,
        };
        let ways =
            [(by_service, by.splitting), (by_service, Splitting::Never), (NotActionRewrite::Advise, Splitting::Never)];
        // What was too long by names is so with fewer exemptions too.
        let skipped = usize::from(draft.rewritten.is_too_long);
        for (not_action, splitting) in ways.into_iter().skip(skipped) {
            let next = rewrite(document, &Rewriting { not_action, splitting, ..*by });
            let last = draft.rest.last().unwrap_or(&draft.rewritten);
            if next.outcome != last.outcome {
                draft.rest.push(next);
            }
        }
        draft.rest.reverse();
        draft
    }

    /// Returns the characters that count of the text after.
    pub fn size_after(&self) -> usize {
        match &self.rewritten.outcome {
            Outcome::Unchanged => counted_characters(self.document.text()),
            Outcome::Changed(text) => counted_characters(text),
            Outcome::Empty => 0,
        }
    }

    /// Returns by how much the text grows.
    pub fn growth(&self) -> i64 {
        let size = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
        size(self.size_after()) - size(counted_characters(self.document.text()))
    }

    /// Returns whether more can be left as written.
    pub fn can_fall_back(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Leaves more as written, since the rewrite does not fit; returns what is withheld for that.
    pub fn fall_back(&mut self, graph: &Graph<'_>, excess: usize, quota: usize) -> Option<Withheld> {
        let next = self.rest.pop()?;
        let was = std::mem::replace(&mut self.rewritten, next);
        let what = if was.split.len() > self.rewritten.split.len() {
            let mut patterns = was.split.clone();
            patterns.sort();
            patterns.dedup();
            format!("the names that must stay of `{}`", patterns.join("`, `"))
        } else if self.rewritten.outcome == Outcome::Unchanged {
            "the services that a NotAction would exempt".to_owned()
        } else {
            "the actions that a NotAction would exempt".to_owned()
        };
        let excess = if was.is_too_long {
            format!("more than {MAX_NAMES} characters")
        } else {
            format!("{excess} characters over the quota of {quota}")
        };
        let detail = format!("{what} do not fit: {excess}; left as written");
        Some(Withheld { address: graph.address(self.policy).to_owned(), reason: "does-not-fit".to_owned(), detail })
    }

    /// Falls back until the document alone fits.
    pub fn fit_alone(&mut self, graph: &Graph<'_>, quota: usize) -> Vec<Withheld> {
        let mut withheld = Vec::new();
        loop {
            let excess = self.size_after().saturating_sub(quota);
            if (excess == 0 && !self.rewritten.is_too_long) || !self.can_fall_back() {
                return withheld;
            }
            withheld.extend(self.fall_back(graph, excess, quota));
        }
    }
}
