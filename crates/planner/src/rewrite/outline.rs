//! What becomes of every statement of a document, and the text that follows from what is written in its slots.

use secateur_analyzer::analysis::is_kept_by_sid;
use secateur_analyzer::document::{ActionBlock, ActionList, Effect, PolicyDocument, Statement};

use super::layout::Fate;
use super::left::LeftAsWritten;
use super::not_action::NotActionOutline;
use super::patterns::{EntryOutline, Slots};
use super::slot::Problem;
use super::splice::{self, Edit};
use super::{Outcome, Rewriting, Rewritten, cover, layout, not_action, patterns};

/// What becomes of a document, but for what is written in its slots.
#[derive(Debug)]
pub struct Outline<'a> {
    document: &'a PolicyDocument,
    by: Rewriting<'a>,
    statements: Vec<StatementOutline>,
    slots: Slots,
}

/// What is written in a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// The names of all that must stay; for a `NotAction` that is extended, of all that may go.
    Names,
    /// What the author wrote.
    AsWritten,
    /// These patterns.
    Patterns(Vec<String>),
}

#[derive(Debug)]
enum StatementOutline {
    Unchanged,
    Gone,
    Action(Vec<EntryOutline>),
    NotAction(NotActionOutline),
}

/// What becomes of one statement's text.
enum StatementEdits {
    None,
    Some(Vec<Edit>),
    Gone,
}

impl<'a> Outline<'a> {
    /// Finds what becomes of each statement.
    pub fn new(document: &'a PolicyDocument, by: &Rewriting<'a>) -> Outline<'a> {
        let mut slots = Slots::default();
        let is_regular = document.irregularities.is_empty();
        let outline = |statement: &Statement| {
            if !is_regular || statement.effect == Effect::Deny || is_kept_by_sid(statement) {
                return StatementOutline::Unchanged;
            }
            match &statement.actions {
                ActionBlock::Action(list) => {
                    let entries = patterns::entries(list, by, &mut slots);
                    match entries.iter().all(|entry| *entry == EntryOutline::Goes) && !entries.is_empty() {
                        true => StatementOutline::Gone,
                        false => StatementOutline::Action(entries),
                    }
                }
                ActionBlock::NotAction(list) => {
                    let is_renamable = layout::not_action_key(document.text(), list).is_some();
                    match not_action::outline(&statement.actions, by, is_renamable, &mut slots) {
                        NotActionOutline::Gone => StatementOutline::Gone,
                        other => StatementOutline::NotAction(other),
                    }
                }
            }
        };
        let statements = document.statements.iter().map(outline).collect();
        Outline { document, by: *by, statements, slots }
    }

    /// Returns the document.
    pub fn document(&self) -> &'a PolicyDocument {
        self.document
    }

    /// Returns whether no statement is left, whatever is written in the slots.
    pub fn takes_all(&self) -> bool {
        let is_gone = |statement: &StatementOutline| matches!(statement, StatementOutline::Gone);
        !self.statements.is_empty() && self.statements.iter().all(is_gone)
    }

    /// Returns how many slots there are.
    pub fn slots(&self) -> usize {
        self.slots.slots.len()
    }

    /// Returns every slot written by names.
    pub fn by_names(&self) -> Vec<Written> {
        vec![Written::Names; self.slots()]
    }

    /// Returns every slot left as its author wrote it.
    pub fn as_written(&self) -> Vec<Written> {
        vec![Written::AsWritten; self.slots()]
    }

    /// Returns what the author wrote in the place of a slot: a pattern, or `NotAction`.
    pub fn author(&self, slot: usize) -> &str {
        self.slots.slots.get(slot).map_or("", |slot| slot.written())
    }

    /// Returns the characters that the names of a slot take.
    pub fn names_cost(&self, slot: usize) -> usize {
        self.slots.slots.get(slot).map_or(0, |slot| slot.names.iter().map(|name| cover::cost(name)).sum())
    }

    /// Returns whether some pattern was not looked at, because the names came to more than [`super::MAX_NAMES`].
    pub fn is_too_long(&self) -> bool {
        self.slots.is_too_long()
    }

    /// Returns the slot as a problem of covering.
    pub fn problem(&self, slot: usize) -> Option<Problem> {
        self.slots.slots.get(slot).map(|slot| slot.problem(&self.by))
    }

    /// Writes the document. A slot of which nothing is said is left as its author wrote it.
    pub fn write(&self, written: &[Written]) -> Rewritten {
        let mut rewritten = Rewritten {
            outcome: Outcome::Unchanged,
            split: Vec::new(),
            unsplit: Vec::new(),
            advised: Vec::new(),
            uninverted: Vec::new(),
        };
        let mut edits = Vec::new();
        let mut stays = Vec::with_capacity(self.statements.len());
        for (at, (statement, outline)) in self.document.statements.iter().zip(&self.statements).enumerate() {
            match self.statement(at, statement, outline, written, &mut rewritten) {
                StatementEdits::None => stays.push(true),
                StatementEdits::Some(own) => {
                    stays.push(true);
                    edits.extend(own);
                }
                StatementEdits::Gone => stays.push(false),
            }
        }
        if stays.iter().all(|stays| !stays) && !stays.is_empty() {
            rewritten.outcome = Outcome::Empty;
            return rewritten;
        }
        let spans: Vec<_> = self.document.statements.iter().map(|statement| statement.span.clone()).collect();
        edits.extend(splice::cut(self.document.text(), &spans, &stays));
        if !edits.is_empty() {
            rewritten.outcome = Outcome::Changed(splice::apply(self.document.text(), edits));
        }
        rewritten
    }

    fn statement(
        &self,
        at: usize,
        statement: &Statement,
        outline: &StatementOutline,
        written: &[Written],
        rewritten: &mut Rewritten,
    ) -> StatementEdits {
        let text = self.document.text();
        let list = statement.actions.list();
        match outline {
            StatementOutline::Unchanged => StatementEdits::None,
            StatementOutline::Gone => StatementEdits::Gone,
            StatementOutline::Action(entries) => {
                let left = self.left_as_written(entries, list, written);
                let fates: Vec<Fate<'_>> = (entries.iter().zip(&list.entries))
                    .map(|(outline, entry)| match outline {
                        // What is not narrowed stays as its author wrote it.
                        EntryOutline::Goes | EntryOutline::Slot(_) if left.allows_all_of(&entry.pattern, &self.by) => {
                            Fate::Stays
                        }
                        EntryOutline::Stays => Fate::Stays,
                        EntryOutline::Goes => Fate::Goes,
                        EntryOutline::Unsplit => {
                            rewritten.unsplit.push(entry.pattern.as_str().to_owned());
                            Fate::Stays
                        }
                        EntryOutline::Slot(slot) => self.fate(*slot, written, rewritten),
                    })
                    .collect();
                match fates.iter().all(|fate| *fate == Fate::Stays) {
                    true => StatementEdits::None,
                    false => StatementEdits::Some(layout::edits(text, statement, list, &fates)),
                }
            }
            StatementOutline::NotAction(outline) => match outline {
                NotActionOutline::Unchanged => StatementEdits::None,
                NotActionOutline::Gone => StatementEdits::Gone,
                NotActionOutline::Advised => {
                    rewritten.advised.push(at);
                    StatementEdits::None
                }
                NotActionOutline::Uninverted(why) => {
                    rewritten.uninverted.push(why);
                    StatementEdits::None
                }
                NotActionOutline::Unsplit => {
                    rewritten.unsplit.push("NotAction".to_owned());
                    StatementEdits::None
                }
                NotActionOutline::Extended(slot) => match self.names(*slot, written) {
                    Some(names) if !names.is_empty() => {
                        StatementEdits::Some(vec![layout::append(text, statement, list, names)])
                    }
                    _ => {
                        rewritten.unsplit.push("NotAction".to_owned());
                        StatementEdits::None
                    }
                },
                NotActionOutline::Inverted(slot) => match self.names(*slot, written) {
                    Some(names) => {
                        rewritten.split.push("NotAction".to_owned());
                        StatementEdits::Some(layout::invert(text, statement, list, names))
                    }
                    None => {
                        rewritten.unsplit.push("NotAction".to_owned());
                        StatementEdits::None
                    }
                },
            },
        }
    }

    /// The patterns of a list that stay as written although something of them may go.
    fn left_as_written<'l>(
        &self,
        entries: &[EntryOutline],
        list: &'l ActionList,
        written: &[Written],
    ) -> LeftAsWritten<'l> {
        let is_left = |outline: &EntryOutline| match outline {
            EntryOutline::Unsplit => true,
            EntryOutline::Slot(slot) => self.names(*slot, written).is_none(),
            EntryOutline::Stays | EntryOutline::Goes => false,
        };
        let left = entries.iter().zip(&list.entries).filter(|(outline, _)| is_left(outline));
        LeftAsWritten::new(left.map(|(_, entry)| &entry.pattern).collect())
    }

    fn fate<'s>(&'s self, slot: usize, written: &'s [Written], rewritten: &mut Rewritten) -> Fate<'s> {
        let author = self.author(slot).to_owned();
        match self.names(slot, written) {
            Some(names) => {
                rewritten.split.push(author);
                Fate::Becomes(names)
            }
            None => {
                rewritten.unsplit.push(author);
                Fate::Stays
            }
        }
    }

    /// What is to be written in a slot; none for what the author wrote.
    fn names<'s>(&'s self, slot: usize, written: &'s [Written]) -> Option<&'s [String]> {
        match written.get(slot)? {
            Written::AsWritten => None,
            Written::Names => self.slots.slots.get(slot).map(|slot| slot.names.as_slice()),
            Written::Patterns(patterns) => Some(patterns),
        }
    }
}
