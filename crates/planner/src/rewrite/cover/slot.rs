//! What has to be written, and what is written.

use secateur_analyzer::action::ActionPattern;

/// One list of actions that has to be written: what takes the place of a pattern or of a `NotAction`, or what is added to
/// a `NotAction`.
#[derive(Clone, Debug)]
pub struct Slot {
    /// What the list is for.
    pub kind: Kind,
    /// All known names that the old list matches (all that it allows, for a `NotAction`), sorted by folded text; no two are
    /// equal but for case.
    pub names: Vec<Name>,
    /// The characters of the patterns as the author wrote them; 0 for [`Kind::Exempt`].
    pub written: usize,
}

/// What a list is for.
#[derive(Clone, Debug)]
pub enum Kind {
    /// It takes the place of this pattern of an `Action` list: every new pattern must be included in it.
    Within(ActionPattern),
    /// It takes the place of a `NotAction` of these patterns, as an `Action` list: every new pattern must be disjoint from
    /// all of them.
    Outside(Vec<ActionPattern>),
    /// It is added to the `NotAction` of an Allow: what goes is to be matched, what stays must not be.
    Exempt,
}

/// One action.
#[derive(Clone, Debug)]
pub struct Name {
    /// `service:Name`, in its proper case. It may be a pattern itself, `newsvc:*`, if that matches no name that goes.
    pub text: String,
    /// Whether it must stay allowed.
    pub stays: bool,
    /// What it weighs if it could go but remains allowed; 0 for what stays.
    pub risk: u32,
}

/// What is written for a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writing {
    /// What the author wrote stays; nothing is added to a `NotAction`. All that could go is re-admitted.
    AsWritten,
    /// These patterns, sorted by folded text.
    Patterns(Vec<String>),
}

/// Which wildcards may be written: `wildcards` of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wildcards {
    /// None.
    Never,
    /// Those that re-admit nothing.
    Exact,
    /// Also those that re-admit something, where nothing else fits.
    Fit,
}

/// How a list was made to fit, the first that did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By names alone.
    Names,
    /// With wildcards that re-admit nothing.
    Exact,
    /// With wildcards that re-admit something.
    Fitted,
}

/// What is written for some slots that share a budget.
#[derive(Clone, Debug)]
pub struct Fit {
    /// How it was made to fit.
    pub way: Way,
    /// One per slot, in order.
    pub writings: Vec<Writing>,
    /// The sum of the costs.
    pub size: usize,
    /// The sum of the risks of what could go and remains allowed. A name counts once for each slot that re-admits it: each
    /// is a statement of its own, with its own resources and conditions.
    pub risk: u64,
}

/// Returns the characters that a pattern costs in a document: its own, two quotes and a comma.
pub fn cost(pattern: &str) -> usize {
    cost_of_length(pattern.len())
}

pub(super) fn cost_of_length(length: usize) -> usize {
    length + 3
}

/// What a list has to do about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Match it.
    Must,
    /// Leave it alone.
    Never,
    /// Either: it has been decided already.
    Free,
}

impl Slot {
    pub(super) fn is_exempt(&self) -> bool {
        matches!(self.kind, Kind::Exempt)
    }

    pub(super) fn role(&self, name: &Name) -> Role {
        // In a `NotAction` the roles are swapped: what is matched goes.
        if name.stays == self.is_exempt() { Role::Never } else { Role::Must }
    }

    /// The risk of leaving the slot as written.
    pub(super) fn whole_risk(&self) -> u64 {
        self.names.iter().filter(|name| !name.stays).map(|name| u64::from(name.risk)).sum()
    }

    /// The cost of leaving the slot as written.
    pub(super) fn whole_cost(&self) -> usize {
        if self.is_exempt() { 0 } else { cost_of_length(self.written) }
    }
}
