//! What a rewrite leaves behind: patterns that no longer follow AWS, and what wildcards admit again.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::analysis::{Analysis, is_kept_by_sid};
use secateur_analyzer::catalog::{ActionSet, Catalog};
use secateur_analyzer::document::{ActionBlock, Effect, PolicyDocument, Statement};
use secateur_analyzer::graph::Holder;

use super::build::wanted;
use super::derive::risk;
use super::removed::names;
use super::{Frozen, PlanOptions, Readmitted, draft};
use crate::proof::{Claim, Proof};
use crate::rewrite::{NotActionRewrite, can_invert};

/// The word for a list of what is not allowed.
const NOT_ACTION: &str = "NotAction";

/// An Allow statement and those that came of it, each with its document's text.
pub(super) struct Lineage<'d> {
    before: &'d Statement,
    after: Vec<&'d Statement>,
}

/// The Allow statements of the old document, each with its heirs in the new ones.
fn lineages<'d>(before: &'d PolicyDocument, after: &[&'d PolicyDocument]) -> Vec<Lineage<'d>> {
    let mut lineages: Vec<Lineage<'d>> = Vec::new();
    let mut skeletons: Vec<String> = Vec::new();
    let allows =
        |document: &'d PolicyDocument| document.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    for statement in allows(before) {
        lineages.push(Lineage { before: statement, after: Vec::new() });
        skeletons.push(skeleton(before.text(), statement));
    }
    for document in after {
        // Statements keep their order: the heir of a later one is not before the heir of an earlier one.
        let mut from = 0;
        for heir in allows(document) {
            let own = skeleton(document.text(), heir);
            let alike: Vec<usize> = (from..skeletons.len()).filter(|at| skeletons.get(*at) == Some(&own)).collect();
            // Of several that are written alike, some may have gone whole.
            let is_parent = |at: &&usize| lineages.get(**at).is_some_and(|own| could_become(own.before, heir));
            let parent = if alike.len() > 1 { alike.iter().find(is_parent) } else { None };
            let Some(at) = parent.or(alike.first()).copied() else { continue };
            if let Some(lineage) = lineages.get_mut(at) {
                lineage.after.push(heir);
                from = at + 1;
            }
        }
    }
    lineages
}

/// Whether all that the heir is about, the parent was about.
fn could_become(parent: &Statement, heir: &Statement) -> bool {
    let resources: BTreeSet<&str> = parent.resources.iter().map(|resource| resource.text.as_str()).collect();
    if !heir.resources.iter().all(|resource| resources.contains(resource.text.as_str())) {
        return false;
    }
    let includes = |all: &Statement, one: &ActionPattern| patterns(all).any(|pattern| pattern.includes(one));
    match (&parent.actions, &heir.actions) {
        (ActionBlock::Action(_), ActionBlock::Action(_)) => patterns(heir).all(|own| includes(parent, own)),
        (ActionBlock::NotAction(_), ActionBlock::NotAction(_)) => patterns(parent).all(|own| includes(heir, own)),
        (ActionBlock::NotAction(_), ActionBlock::Action(_)) => {
            patterns(heir).all(|own| patterns(parent).all(|exempt| exempt.is_disjoint(own)))
        }
        (ActionBlock::Action(_), ActionBlock::NotAction(_)) => false,
    }
}

/// A statement's text without its lists of actions and resources: a change leaves the rest as it is.
fn skeleton(text: &str, statement: &Statement) -> String {
    let actions = &statement.actions.list().span;
    let resources = statement.resources.first().zip(statement.resources.last());
    let resources = resources.map(|(first, last)| first.span.start..last.span.end);
    let mut gone: Vec<Range<usize>> =
        std::iter::once(key_start(text, actions.start)..actions.end).chain(resources).collect();
    gone.sort_by_key(|span| span.start);
    let mut parts = Vec::new();
    let mut at = statement.span.start;
    for span in gone {
        parts.push(text.get(at..span.start).unwrap_or_default());
        at = span.end;
    }
    parts.push(text.get(at..statement.span.end).unwrap_or_default());
    parts.join("\0")
}

/// Where the key of a list of actions begins: an inverted `NotAction` has another.
fn key_start(text: &str, list: usize) -> usize {
    let head = text.get(..list).unwrap_or_default().trim_end();
    let head = head.strip_suffix(':').unwrap_or(head).trim_end();
    head.strip_suffix("\"NotAction\"").or_else(|| head.strip_suffix("\"Action\"")).map_or(list, str::len)
}

/// The documents of a claim that was proved, read once for all that is said of them.
pub(super) struct Documents<'a> {
    /// None for a text that is no policy document.
    before: Option<Cow<'a, PolicyDocument>>,
    after: Vec<Option<PolicyDocument>>,
}

impl<'a> Documents<'a> {
    pub fn of(analysis: &Analysis<'a>, claim: &Claim<'_>) -> Documents<'a> {
        let own = analysis.graph().policy(claim.policy).and_then(|policy| policy.document());
        let own = own.filter(|document| document.text() == claim.before);
        let before = match own {
            Some(document) => document.policy().map(Cow::Borrowed),
            None => PolicyDocument::parse(claim.before).ok().map(Cow::Owned),
        };
        let after = claim.after.iter().map(|text| PolicyDocument::parse(*text).ok()).collect();
        Documents { before, after }
    }

    /// A statement of the old document, from 1.
    pub fn statement_before(&self, number: usize) -> Option<&Statement> {
        self.before.as_deref()?.statements.get(number.checked_sub(1)?)
    }

    /// What the new documents allow, on whatever resources.
    pub fn allowed_after(&self, catalog: &Catalog) -> ActionSet {
        let mut allowed = catalog.empty_set();
        let statements = self.after.iter().flatten().flat_map(|document| &document.statements);
        for statement in statements.filter(|statement| statement.effect == Effect::Allow) {
            allowed.union_with(&catalog.covered(&statement.actions));
        }
        allowed
    }

    /// The patterns with wildcards of the old document, and those of the new ones.
    pub fn wildcards(&self) -> (Vec<&ActionPattern>, Vec<&ActionPattern>) {
        fn of<'d>(documents: impl Iterator<Item = &'d PolicyDocument>) -> Vec<&'d ActionPattern> {
            let all = documents.flat_map(|document| &document.statements).flat_map(patterns);
            all.filter(|pattern| pattern.has_wildcard()).collect()
        }
        (of(self.before.as_deref().into_iter()), of(self.after.iter().flatten()))
    }

    /// The Allow statements, each with its heirs; none where a text is no policy document.
    pub fn lineages(&self) -> Vec<Lineage<'_>> {
        let after: Option<Vec<&PolicyDocument>> = self.after.iter().map(Option::as_ref).collect();
        self.before.as_deref().zip(after).map_or_else(Vec::new, |(before, after)| lineages(before, &after))
    }
}

/// The patterns of Allow statements that became names or narrower patterns: gone, with something that was not listed
/// before and that they match.
pub(super) fn frozen(analysis: &Analysis<'_>, lineages: &[Lineage<'_>]) -> Vec<Frozen> {
    let at = analysis.catalog().dates().names;
    let mut frozen = Vec::new();
    for Lineage { before: statement, after: heirs } in lineages {
        let mut new: Vec<&ActionPattern> = heirs.iter().flat_map(|heir| patterns(heir)).collect();
        let wildcards = |became: &[&ActionPattern]| {
            let wild = became.iter().filter(|pattern| pattern.has_wildcard());
            wild.map(|pattern| pattern.as_str().to_owned()).collect()
        };
        if let (ActionBlock::NotAction(_), Some(ActionBlock::Action(_))) =
            (&statement.actions, heirs.first().map(|heir| &heir.actions))
        {
            frozen.push(Frozen { pattern: NOT_ACTION.to_owned(), at, wildcards: wildcards(&new) });
            continue;
        }
        if let ActionBlock::NotAction(_) = statement.actions {
            continue;
        }
        if !patterns(statement).any(ActionPattern::has_wildcard) {
            continue;
        }
        let names: HashSet<&str> = new.iter().map(|pattern| pattern.as_str()).collect();
        let gone: Vec<&ActionPattern> =
            patterns(statement).filter(|pattern| pattern.has_wildcard() && !names.contains(pattern.as_str())).collect();
        if gone.is_empty() {
            continue;
        }
        let old: HashSet<&str> = patterns(statement).map(ActionPattern::as_str).collect();
        new.retain(|pattern| !old.contains(pattern.as_str()));
        for pattern in gone {
            let became: Vec<&ActionPattern> = new.iter().filter(|own| pattern.matches(own.as_str())).copied().collect();
            if !became.is_empty() {
                frozen.push(Frozen { pattern: pattern.as_str().to_owned(), at, wildcards: wildcards(&became) });
            }
        }
    }
    frozen
}

fn patterns(statement: &Statement) -> impl Iterator<Item = &ActionPattern> {
    statement.actions.list().entries.iter().map(|entry| &entry.pattern)
}

/// What may go and is still allowed, because nothing narrower fits: by a wildcard, or by a `NotAction`, as the rewrite wrote
/// it or as its author did. Each action is named once, by the first pattern that allows it.
pub(super) fn readmitted(
    analysis: &Analysis<'_>,
    claim: &Claim<'_>,
    lineages: &[Lineage<'_>],
    proof: &Proof,
    options: &PlanOptions,
) -> Vec<Readmitted> {
    let catalog = analysis.catalog();
    let holders = proof.holders();
    let removable = match claim.through {
        None => analysis.policy(claim.policy).map_or_else(|| catalog.empty_set(), |policy| policy.removable.clone()),
        Some(_) => analysis.removable_for(claim.policy, holders),
    };
    let may_go = wanted(analysis, claim.policy, holders, removable, options);
    // What is lost is gone, but for what another statement still allows.
    let mut left = may_go.clone();
    left.difference_with(proof.lost());
    if let Some(still) = proof.still() {
        let mut still = still.clone();
        still.intersect_with(&may_go);
        left.union_with(&still);
    }
    if left.is_empty() {
        return Vec::new();
    }
    let is_fresh = draft::is_fresh(analysis);
    let mut found: Vec<(String, ActionSet)> = Vec::new();
    let mut add = |by: &str, actions: ActionSet| match found.iter_mut().find(|(own, _)| own == by) {
        Some((_, all)) => all.union_with(&actions),
        None => found.push((by.to_owned(), actions)),
    };
    for Lineage { before: statement, after: heirs } in lineages {
        if is_kept_by_sid(statement) {
            continue;
        }
        let old: BTreeSet<&str> = patterns(statement).map(ActionPattern::as_str).collect();
        for heir in heirs {
            match &heir.actions {
                ActionBlock::Action(_) => {
                    // With a young catalogue a pattern of the author's is left as it is for want of room only.
                    let is_new = |pattern: &&ActionPattern| is_fresh || !old.contains(pattern.as_str());
                    for pattern in patterns(heir).filter(is_new) {
                        let mut matched: Option<ActionSet> = None;
                        catalog.each_match(pattern, |id| {
                            if left.contains(id) {
                                matched.get_or_insert_with(|| catalog.empty_set()).insert(id);
                            }
                        });
                        if let Some(matched) = matched {
                            left.difference_with(&matched);
                            add(pattern.as_str(), matched);
                        }
                    }
                }
                // What differs was extended; what does not was left for want of room, if it could have been written anew.
                ActionBlock::NotAction(list)
                    if list.entries.len() != statement.actions.list().entries.len()
                        || could_be_narrower(analysis, claim, statement, holders, options) =>
                {
                    let mut covered = catalog.covered(&heir.actions);
                    covered.intersect_with(&left);
                    if !covered.is_empty() {
                        left.difference_with(&covered);
                        add(NOT_ACTION, covered);
                    }
                }
                ActionBlock::NotAction(_) => {}
            }
        }
    }
    let entry = |(by, actions): (String, ActionSet)| Readmitted {
        by,
        count: actions.len(),
        risk: risk(analysis, &actions),
        actions: names(catalog, &actions, &[]),
    };
    found.into_iter().map(entry).collect()
}

/// Whether the settings let a `NotAction` be written anew, and nothing but room is in the way.
fn could_be_narrower(
    analysis: &Analysis<'_>,
    claim: &Claim<'_>,
    statement: &Statement,
    holders: &[Holder],
    options: &PlanOptions,
) -> bool {
    match options.rewrite.not_action {
        NotActionRewrite::Extend => true,
        NotActionRewrite::Advise => false,
        NotActionRewrite::Invert => {
            let document = analysis.graph().policy(claim.policy).and_then(|policy| policy.document()?.policy());
            let unknown = document.map(|document| analysis.unknown_names_of(holders, document).names);
            draft::is_fresh(analysis) && can_invert(statement.actions.list(), &unknown.unwrap_or_default())
        }
    }
}
