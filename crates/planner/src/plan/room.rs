//! Making documents that share a quota fit it: by names, by wildcards, or by leaving something as its author wrote it.

use std::borrow::Cow;

use secateur_analyzer::document::counted_characters;
use secateur_analyzer::graph::Graph;

use super::Withheld;
use super::draft::{ByNames, Draft};
use crate::rewrite::cover::{self, Wildcards, Writing};
use crate::rewrite::{MAX_NAMES, Outcome, Outline, Rewritten, Written};

/// How much room there is for some documents together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// In characters that count.
    pub room: usize,
    /// The quota that readers know, in characters.
    pub quota: usize,
    /// The characters of documents that have the same quota and stay as they are.
    pub others: usize,
}

/// What is left as its author wrote it, each with the characters that it would have by names.
type Left = Vec<(String, usize)>;

/// What makes one draft fit.
pub(super) struct Fitted {
    rewritten: Rewritten,
    left: Left,
    by_names: ByNames,
    /// Whether all that may go is gone.
    pub is_exact: bool,
}

impl Fitted {
    /// Whether there is another text.
    pub fn is_rewritten(&self) -> bool {
        self.rewritten.outcome != Outcome::Unchanged
    }

    /// Whether the text takes no action away.
    pub fn takes_nothing(&self, draft: &Draft<'_>) -> bool {
        draft.takes_nothing(&self.rewritten.outcome)
    }

    /// The document as it is, with the same reasons.
    pub fn unchanged(self) -> Fitted {
        Fitted { rewritten: Rewritten { outcome: Outcome::Unchanged, ..self.rewritten }, ..self }
    }
}

/// What is to be written in one slot.
struct Decision {
    draft: usize,
    slot: usize,
    /// The characters of what its author wrote.
    author: usize,
    fixed: Vec<String>,
    written: Written,
    /// Whether it is still open, or left as its author wrote it.
    is_open: bool,
}

/// What is to be written in all slots, and each as a problem of covering.
struct Decisions {
    all: Vec<Decision>,
    problems: Vec<cover::Slot>,
}

/// The problems that are still open. They have many names, and mostly all of them are.
fn open<'p>(all: &[Decision], problems: &'p [cover::Slot]) -> Cow<'p, [cover::Slot]> {
    if all.iter().all(|decision| decision.is_open) {
        return Cow::Borrowed(problems);
    }
    let open = all.iter().zip(problems).filter(|(decision, _)| decision.is_open);
    Cow::Owned(open.map(|(_, problem)| problem.clone()).collect())
}

/// More names than these in all slots together are not weighed against each other.
const MAX_WEIGHED: usize = 600_000;

impl Room {
    /// Whether the draft can be written in the room without admitting anything again.
    pub fn suits(self, draft: &Draft<'_>, wildcards: Wildcards) -> bool {
        if draft.growth() < i64::try_from(MAX_NAMES).unwrap_or(i64::MAX) && draft.size_after() <= self.room {
            return true;
        }
        let outline = draft.outline();
        let mut decisions = decisions(std::slice::from_ref(&outline));
        let base = base(&[draft], std::slice::from_ref(&outline), &decisions.all);
        self.decide(&[draft], std::slice::from_ref(&outline), &mut decisions, base, wildcards).is_ok()
    }

    /// Finds what makes the drafts fit, one result for each; none where they fit as they are.
    pub fn fitted(self, drafts: &[&Draft<'_>], wildcards: Wildcards) -> Vec<Fitted> {
        let own = |draft: &&Draft<'_>| usize::try_from(size_before(draft).saturating_add(draft.growth())).unwrap_or(0);
        let by_names: usize = drafts.iter().map(own).fold(0, usize::saturating_add);
        if by_names <= self.room {
            return Vec::new();
        }
        let sizes = drafts.iter().map(own).map(|own| ByNames {
            own,
            others: (by_names - own).saturating_add(self.others),
            quota: self.quota,
        });
        let outlines: Vec<Outline<'_>> = drafts.iter().map(|draft| draft.outline()).collect();
        let (written, left, readmits) = self.write(drafts, &outlines, wildcards);
        let results = outlines.iter().zip(written).zip(left).zip(sizes);
        let fitted = |(((outline, written), left), by_names): (((&Outline<'_>, Vec<Written>), Left), _)| Fitted {
            rewritten: outline.write(&written),
            is_exact: !readmits && left.is_empty(),
            left,
            by_names,
        };
        results.map(fitted).collect()
    }

    /// Writes what was found into the draft, and returns what is left as its author wrote it for that.
    pub fn take(graph: &Graph<'_>, draft: &mut Draft<'_>, fitted: Fitted) -> Option<Withheld> {
        if draft.take(fitted.rewritten) {
            draft.by_names = Some(fitted.by_names);
        }
        (!fitted.left.is_empty()).then(|| draft.does_not_fit(graph, &fitted.left, fitted.by_names))
    }

    /// Decides what is written in every slot of every draft, names what is left as written, and says whether anything is
    /// re-admitted.
    fn write(
        self,
        drafts: &[&Draft<'_>],
        outlines: &[Outline<'_>],
        wildcards: Wildcards,
    ) -> (Vec<Vec<Written>>, Vec<Left>, bool) {
        let mut decisions = decisions(outlines);
        let base = base(drafts, outlines, &decisions.all);
        let mut readmits = false;
        loop {
            if let Ok(risk) = self.decide(drafts, outlines, &mut decisions, base, wildcards) {
                readmits |= risk > 0;
                break;
            }
            // What would grow most stays as written; the earlier among equals.
            let growth = |decision: &Decision| {
                let names = outlines.get(decision.draft).map_or(0, |outline| outline.names_cost(decision.slot));
                names.saturating_sub(decision.author)
            };
            let worst = (decisions.all.iter().enumerate().filter(|(_, decision)| decision.is_open))
                .max_by_key(|(at, decision)| (growth(decision), std::cmp::Reverse(*at)))
                .map(|(at, _)| at);
            let Some(decision) = worst.and_then(|at| decisions.all.get_mut(at)) else { break };
            readmits = true;
            (decision.is_open, decision.written) = (false, Written::AsWritten);
        }
        let mut written: Vec<Vec<Written>> = outlines.iter().map(Outline::as_written).collect();
        let mut left: Vec<Left> = vec![Vec::new(); outlines.len()];
        for decision in decisions.all {
            if let (Written::AsWritten, Some(outline), Some(left)) =
                (&decision.written, outlines.get(decision.draft), left.get_mut(decision.draft))
            {
                left.push((outline.author(decision.slot).to_owned(), outline.names_cost(decision.slot)));
            }
            if let Some(slot) = written.get_mut(decision.draft).and_then(|own| own.get_mut(decision.slot)) {
                *slot = decision.written;
            }
        }
        (written, left, readmits)
    }

    /// Decides about the open slots together. The sizes of lists and of what stands around them are counted by the text
    /// itself: where it comes out longer than was reckoned, there is so much less room. Returns the risk that is re-admitted.
    fn decide(
        self,
        drafts: &[&Draft<'_>],
        outlines: &[Outline<'_>],
        decisions: &mut Decisions,
        base: usize,
        wildcards: Wildcards,
    ) -> Result<u64, ()> {
        let Decisions { all, problems } = decisions;
        let open = open(all, problems);
        let left: usize = (all.iter().filter(|decision| !decision.is_open))
            .map(|decision| if decision.author == 0 { 0 } else { decision.author + 3 })
            .sum();
        let fixed: usize = (all.iter().filter(|decision| decision.is_open))
            .flat_map(|decision| &decision.fixed)
            .map(|pattern| cover::cost(pattern))
            .sum();
        let mut budget = self.room.checked_sub(base + left + fixed).ok_or(())?;
        if open.iter().map(|slot| slot.names.len()).sum::<usize>() > MAX_WEIGHED {
            return Err(());
        }
        if let [only] = open.as_ref()
            && budget > 2 * only.names.iter().map(|name| cover::cost(&name.text)).max().unwrap_or(0)
        {
            let beside = beside(drafts, outlines, all).saturating_sub(base + left + fixed);
            budget = budget.checked_sub(beside).ok_or(())?;
        }
        let mut fitting = cover::Fitting::new(&open);
        loop {
            let fit = fitting.fit(budget, wildcards).map_err(|_| ())?;
            let risk = fit.risk;
            let mut writings = fit.writings.into_iter();
            for decision in all.iter_mut().filter(|decision| decision.is_open) {
                decision.written = match writings.next() {
                    Some(Writing::Patterns(patterns)) => {
                        let mut patterns: Vec<String> = decision.fixed.iter().cloned().chain(patterns).collect();
                        patterns.sort_by_cached_key(|pattern| pattern.to_ascii_lowercase());
                        Written::Patterns(patterns)
                    }
                    Some(Writing::AsWritten) | None => Written::AsWritten,
                };
            }
            let size = size(drafts, outlines, all);
            if size <= self.room {
                return Ok(risk);
            }
            budget = budget.checked_sub(size - self.room).ok_or(())?;
        }
    }
}

fn size_before(draft: &Draft<'_>) -> i64 {
    i64::try_from(counted_characters(draft.document.text())).unwrap_or(i64::MAX)
}

fn decisions(outlines: &[Outline<'_>]) -> Decisions {
    let mut decisions = Decisions { all: Vec::new(), problems: Vec::new() };
    for (draft, outline) in outlines.iter().enumerate() {
        for slot in 0..outline.slots() {
            let Some(problem) = outline.problem(slot) else { continue };
            decisions.all.push(Decision {
                draft,
                slot,
                author: problem.slot.written,
                fixed: problem.fixed,
                written: Written::AsWritten,
                is_open: true,
            });
            decisions.problems.push(problem.slot);
        }
    }
    decisions
}

/// What the documents have beside their slots.
fn base(drafts: &[&Draft<'_>], outlines: &[Outline<'_>], decisions: &[Decision]) -> usize {
    let written: usize =
        (decisions.iter()).map(|decision| if decision.author == 0 { 0 } else { decision.author + 3 }).sum();
    let whole: usize = (drafts.iter().zip(outlines))
        .map(|(draft, outline)| draft.size(&outline.write(&outline.as_written()).outcome))
        .sum();
    whole.saturating_sub(written)
}

/// The size of all without what is to be written in the open slots, where that is several patterns: what was a single value is a list
/// then, in brackets. To know it beforehand spares finding out about the same names once more.
fn beside(drafts: &[&Draft<'_>], outlines: &[Outline<'_>], decisions: &mut [Decision]) -> usize {
    const SEVERAL: [&str; 2] = ["a:a", "b:b"];
    let mut several = 0;
    for decision in decisions.iter_mut().filter(|decision| decision.is_open) {
        let patterns = decision.fixed.iter().cloned().chain(SEVERAL.map(str::to_owned));
        decision.written = Written::Patterns(patterns.collect());
        several += SEVERAL.map(cover::cost).into_iter().sum::<usize>();
    }
    size(drafts, outlines, decisions).saturating_sub(several)
}

fn size(drafts: &[&Draft<'_>], outlines: &[Outline<'_>], decisions: &[Decision]) -> usize {
    let mut written: Vec<Vec<Written>> = outlines.iter().map(Outline::as_written).collect();
    for decision in decisions {
        if let Some(slot) = written.get_mut(decision.draft).and_then(|own| own.get_mut(decision.slot)) {
            slot.clone_from(&decision.written);
        }
    }
    (drafts.iter().zip(outlines).zip(&written))
        .map(|((draft, outline), written)| draft.size(&outline.write(written).outcome))
        .sum()
}
