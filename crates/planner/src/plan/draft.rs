//! What is to become of one policy's document, before it is proved.

use std::collections::BTreeMap;

use secateur_analyzer::analysis::{Analysis, UnknownName, is_kept_by_sid};
use secateur_analyzer::catalog::{ActionSet, Catalog};
use secateur_analyzer::document::{ActionBlock, Effect, PolicyDocument, counted_characters};
use secateur_analyzer::graph::{Entity, Graph, Holder, PolicyId, PolicyRef};
use secateur_analyzer::time::DAY;

use super::attachments::NewPolicy;
use super::{PlanOptions, Withheld};
use crate::proof::takes_nothing;
use crate::rewrite::{
    MAX_NAMES, NotActionRewrite, Outcome, Outline, Rewriting, Rewritten, Splitting, lacks_colon, split,
};

/// A rewrite of a document, and what it was made from.
pub(super) struct Draft<'a> {
    pub policy: PolicyId,
    /// The attachments that are concerned; none when the document changes for everybody who holds it.
    pub through: Option<Vec<Entity>>,
    pub document: &'a PolicyDocument,
    pub rewritten: Rewritten,
    /// Further policies that take the place of this one: with it when it is split, instead of it when AWS owns it.
    pub parts: Vec<NewPolicy>,
    /// What the document would have had by names, where those did not fit.
    pub by_names: Option<ByNames>,
    /// The document without unused KMS keys, which is what is rewritten, and what becomes of it if no action goes.
    pruned: Option<(PolicyDocument, Outcome)>,
    catalog: &'a Catalog,
    removable: ActionSet,
    unknown: Vec<UnknownName>,
    not_action: NotActionRewrite,
    splitting: Splitting,
    is_too_long: bool,
}

impl<'a> Draft<'a> {
    /// Rewrites a document by names, after `keys` has left it; what comes to more than [`MAX_NAMES`] characters is not written
    /// yet.
    pub fn new(
        analysis: &Analysis<'a>,
        policy: PolicyId,
        document: &'a PolicyDocument,
        holders: &[Holder],
        removable: ActionSet,
        keys: Outcome,
        options: &PlanOptions,
    ) -> Draft<'a> {
        let mut draft = Draft {
            policy,
            through: None,
            document,
            rewritten: Rewritten {
                outcome: Outcome::Unchanged,
                split: Vec::new(),
                unsplit: Vec::new(),
                advised: Vec::new(),
                uninverted: Vec::new(),
            },
            parts: Vec::new(),
            by_names: None,
            pruned: pruned(keys),
            catalog: analysis.catalog(),
            unknown: analysis.unknown_names_of(holders, document).names,
            not_action: options.rewrite.not_action,
            splitting: if is_fresh(analysis) { Splitting::Names } else { Splitting::Never },
            is_too_long: false,
            removable,
        };
        let outline = draft.outline();
        let is_too_long = outline.is_too_long();
        let written = if is_too_long { outline.as_written() } else { outline.by_names() };
        let rewritten = outline.write(&written);
        (draft.rewritten, draft.is_too_long) = (draft.with_keys(rewritten), is_too_long);
        draft
    }

    /// Returns what becomes of each statement.
    pub fn outline(&self) -> Outline<'_> {
        Outline::new(
            self.pruned.as_ref().map_or(self.document, |(document, _)| document),
            &Rewriting {
                catalog: self.catalog,
                removable: &self.removable,
                unknown: &self.unknown,
                not_action: self.not_action,
                splitting: self.splitting,
            },
        )
    }

    /// Returns how many actions may go.
    pub fn removable_names(&self) -> usize {
        self.removable.len()
    }

    /// Returns the patterns that stay for want of a colon, each with how many of the actions that it matches may go.
    pub fn without_colon(&self) -> BTreeMap<&'a str, usize> {
        let mut found = BTreeMap::new();
        let statements = self.document.statements.iter();
        for statement in statements.filter(|own| own.effect == Effect::Allow && !is_kept_by_sid(own)) {
            let ActionBlock::Action(list) = &statement.actions else { continue };
            for pattern in
                list.entries.iter().map(|entry| &entry.pattern).filter(|pattern| lacks_colon(pattern.as_str()))
            {
                let mut number = 0;
                self.catalog.each_match(pattern, |id| number += usize::from(self.removable.contains(id)));
                if number > 0 {
                    found.insert(pattern.as_str(), number);
                }
            }
        }
        found
    }

    /// Returns the characters that count of the text after.
    pub fn size_after(&self) -> usize {
        self.size(&self.rewritten.outcome)
    }

    /// Returns what [`Self::size_after`] is not above, without counting; by names that nobody would write, nothing.
    pub fn size_at_most(&self) -> usize {
        if self.is_too_long {
            return usize::MAX;
        }
        match (&self.rewritten.outcome, &self.pruned) {
            (Outcome::Unchanged, Some((_, Outcome::Changed(text)))) | (Outcome::Changed(text), _) => text.len(),
            (Outcome::Unchanged, Some((_, Outcome::Empty))) | (Outcome::Empty, _) => 0,
            (Outcome::Unchanged, _) => self.document.text().len(),
        }
    }

    /// Returns the characters that count of a text that an outline of this draft wrote.
    pub fn size(&self, outcome: &Outcome) -> usize {
        match (outcome, &self.pruned) {
            (Outcome::Unchanged, Some((_, Outcome::Changed(text)))) | (Outcome::Changed(text), _) => {
                counted_characters(text)
            }
            (Outcome::Unchanged, Some((_, Outcome::Empty))) | (Outcome::Empty, _) => 0,
            (Outcome::Unchanged, _) => counted_characters(self.document.text()),
        }
    }

    /// Where no action goes, what is left is what the keys have left.
    fn with_keys(&self, mut rewritten: Rewritten) -> Rewritten {
        if let (Outcome::Unchanged, Some((_, outcome))) = (&rewritten.outcome, &self.pruned) {
            rewritten.outcome = outcome.clone();
        }
        rewritten
    }

    /// Returns by how much the text grows; by names that nobody would write, by more than any quota.
    pub fn growth(&self) -> i64 {
        if self.is_too_long {
            return i64::try_from(MAX_NAMES).unwrap_or(i64::MAX);
        }
        let size = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
        size(self.size_after()) - size(counted_characters(self.document.text()))
    }

    /// Returns whether something is still to be decided.
    pub fn is_open(&self) -> bool {
        self.is_too_long
    }

    /// Returns whether a rewrite of what the keys have left takes no action away.
    pub fn takes_nothing(&self, outcome: &Outcome) -> bool {
        let before = self.pruned.as_ref().map_or(self.document, |(document, _)| document);
        match outcome {
            Outcome::Unchanged => true,
            Outcome::Changed(text) => takes_nothing(self.catalog, before.text(), text),
            Outcome::Empty => false,
        }
    }

    /// Leaves the document as it is, but for the keys that leave it.
    pub fn leave(&mut self) {
        let keys = self.pruned.as_ref().map(|(_, outcome)| outcome.clone());
        self.rewritten.outcome = keys.unwrap_or(Outcome::Unchanged);
        self.is_too_long = false;
    }

    /// Takes another rewrite of the document, in which everything is decided.
    ///
    /// Returns whether it is another one.
    pub fn take(&mut self, rewritten: Rewritten) -> bool {
        let rewritten = self.with_keys(rewritten);
        let is_other = rewritten.outcome != self.rewritten.outcome;
        self.rewritten = rewritten;
        self.is_too_long = false;
        is_other
    }

    /// Gives back what only a decision needs: the text stands.
    pub fn settle(&mut self) {
        self.removable = ActionSet::nothing();
        self.unknown = Vec::new();
    }

    /// Returns the texts of several policies in the place of one, each within the quota.
    ///
    /// # Errors
    /// When it cannot be split, in words.
    pub fn split(&self, quota: usize) -> Result<Vec<String>, String> {
        let no_names = || "the names are too many to be split over policies".to_owned();
        let Outcome::Changed(text) = &self.rewritten.outcome else { return Err(no_names()) };
        if self.is_too_long {
            return Err(no_names());
        }
        let document = PolicyDocument::parse(text.as_str()).map_err(|error| error.to_string())?;
        split(&document, quota).ok_or_else(|| format!("no split of the document fits the quota of {quota}"))
    }

    /// Takes the texts of several policies in the place of one.
    pub fn set_parts(&mut self, (first, further): (String, Vec<NewPolicy>)) {
        self.rewritten.outcome = Outcome::Changed(first);
        self.parts = further;
    }

    /// Returns the entry for what is left as its author wrote it, each with its characters by names.
    pub fn does_not_fit(&self, graph: &Graph<'_>, left: &[(String, usize)], by_names: ByNames) -> Withheld {
        let mut own: BTreeMap<&str, usize> = BTreeMap::new();
        for (author, characters) in left {
            *own.entry(author).or_default() += characters;
        }
        let own = own.into_iter().map(|(author, number)| format!("`{author}` ({} by names)", characters(number)));
        let whole = match graph.policy(self.policy) {
            Some(PolicyRef::Inline(entity, _)) => {
                format!("all inline policies of {} together", graph.entity_address(entity))
            }
            _ => "the document".to_owned(),
        };
        let ByNames { own: document, others, quota } = by_names;
        let total = document.saturating_add(others);
        let over = if total > MAX_NAMES { String::new() } else { format!(", {} over", total.saturating_sub(quota)) };
        let detail = format!(
            "left as written: {}; by names {whole} would have {} of {quota}{over}",
            own.collect::<Vec<_>>().join(", "),
            characters(total)
        );
        Withheld { address: graph.address(self.policy).to_owned(), reason: "does-not-fit".to_owned(), detail }
    }
}

/// Whether a rewrite leaves nothing of a document: the same for names as without them, since what is written by names stays.
pub(super) fn takes_all(
    analysis: &Analysis<'_>,
    document: &PolicyDocument,
    holders: &[Holder],
    removable: &ActionSet,
    options: &PlanOptions,
) -> bool {
    let unknown = analysis.unknown_names_of(holders, document).names;
    let by = Rewriting {
        catalog: analysis.catalog(),
        removable,
        unknown: &unknown,
        not_action: options.rewrite.not_action,
        splitting: Splitting::Never,
    };
    Outline::new(document, &by).takes_all()
}

/// What is left to rewrite when keys have left a document; none when none has.
fn pruned(keys: Outcome) -> Option<(PolicyDocument, Outcome)> {
    let text = match &keys {
        Outcome::Unchanged => return None,
        Outcome::Changed(text) => text.clone(),
        Outcome::Empty => "{\"Statement\":[]}".to_owned(),
    };
    PolicyDocument::parse(text).ok().map(|document| (document, keys))
}

/// The characters of documents that share a quota, written by names.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByNames {
    /// Of one document.
    pub own: usize,
    /// Of the others.
    pub others: usize,
    /// What they may have together.
    pub quota: usize,
}

/// Returns a number of characters in words; what nobody would write is not counted out.
pub(crate) fn characters(number: usize) -> String {
    if number > MAX_NAMES { format!("more than {MAX_NAMES} characters") } else { format!("{number} characters") }
}

/// Whether the catalogue is young enough to take the place of a pattern.
pub(super) fn is_fresh(analysis: &Analysis<'_>) -> bool {
    let inputs = analysis.inputs();
    let age = inputs.now.since(analysis.catalog().dates().names);
    age <= i64::from(inputs.settings.max_catalog_age_days) * DAY
}
