//! The ways out of open journals: the commands that work now, and which comes first.

use std::collections::BTreeSet;

use super::journals::{Found, Unusable};
use crate::apply::journal::History;

/// The ways out of one journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    /// What each command does.
    pub text: String,
    /// The commands, the one to be thought of first ahead.
    #[cfg(feature = "aws")]
    pub commands: Vec<String>,
}

impl Ways {
    fn new(text: String, commands: &[&str]) -> Ways {
        #[cfg(not(feature = "aws"))]
        let _ = commands;
        Ways {
            text,
            #[cfg(feature = "aws")]
            commands: commands.iter().map(|command| (*command).to_owned()).collect(),
        }
    }

    /// The ways out of a journal that nothing stands in the way of: no other is open but those that it takes back.
    /// `has_other` is whether the journal that it takes back, where it is a rollback, is still there.
    pub fn of(id: &str, history: &History, has_other: bool) -> Ways {
        let resume = "secateur apply --resume";
        let (back, leave) = (format!("secateur rollback {id}"), leave(id));
        if history.taken_back() > 0 {
            let text = format!("part of it was taken back: `{back}` takes the rest back, `{leave}` leaves it as it is");
            return Ways::new(text, &[&back, &leave]);
        }
        // What somebody else has moved since it was approved stops it again, and who came since was seen by nobody.
        let has_drifted = history.stopped().is_some_and(|(reason, _)| reason == "drifted");
        let on = format!("`{resume}` looks again, and goes on once nothing stands in its way");
        match history.begin().origin.takes_back().filter(|_| has_other) {
            Some(other) if has_drifted => {
                let anew = format!("secateur rollback {other}");
                let text = format!(
                    "`{leave}`, then `{anew}` looks at it anew, names who came since, and wants `yes` or `--approve DIGEST`; \
                     `{back}` goes back; {on}"
                );
                Ways::new(text, &[&leave, &anew, &back, resume])
            }
            _ if has_drifted => {
                let text = format!("`{back}` goes back, `{leave}` leaves it as it is; {on}");
                Ways::new(text, &[&back, &leave, resume])
            }
            _ => {
                let text = format!(
                    "`{resume}` goes on, `{back}` goes back: both first look what somebody has changed since; `{leave}` leaves it as \
                     it is"
                );
                Ways::new(text, &[resume, &back, &leave])
            }
        }
    }
}

/// Returns the ways out of an open journal that is just refused to be gone on with: it is the one to be ended first.
#[cfg(feature = "aws")]
pub(super) fn but_on(id: &str) -> String {
    format!("`secateur rollback {id}` goes back, `{}` leaves it as it is", leave(id))
}

fn leave(id: &str) -> String {
    format!("secateur history --abandon {id} --reason TEXT")
}

fn usable(listed: &[Result<Found, Unusable>]) -> impl Iterator<Item = &Found> {
    listed.iter().filter_map(|own| own.as_ref().ok())
}

/// Returns the ways out of an open journal, among all others: those that work now.
pub(super) fn out_of(listed: &[Result<Found, Unusable>], found: &Found) -> String {
    let only = format!("nothing but `{}` can be done here: it leaves it as it is", leave(&found.id));
    if let Some(unusable) = listed.iter().find_map(|own| own.as_ref().err()) {
        return format!(
            "first mend the journal {}, of which nobody knows whether it is open; until then {only}",
            unusable.id
        );
    }
    let all: Vec<&Found> = usable(listed).collect();
    let below = taken_back(&all, found);
    let is_other = |own: &&&Found| own.is_open() && own.id != found.id && !below.contains(own.id.as_str());
    let others: Vec<&Found> = all.iter().filter(is_other).copied().collect();
    match others.iter().find(|own| taken_back(&all, own).contains(found.id.as_str())) {
        Some(_) => {
            let first = in_order(listed).first().map_or(String::new(), |own| own.id.clone());
            format!("first {first}, which takes this one back; until then {only}")
        }
        None if others.is_empty() => {
            let other = found.history.begin().origin.takes_back();
            let has_other = other.is_some_and(|other| all.iter().any(|own| own.id == other));
            Ways::of(&found.id, &found.history, has_other).text
        }
        None => {
            let ids: Vec<&str> = others.iter().map(|own| own.id.as_str()).collect();
            format!("{} is open too, and does not take this one back; as long as it is open, {only}", ids.join(", "))
        }
    }
}

/// Returns the open journals in the order in which they are to be ended: one that takes others back comes before these.
pub(super) fn in_order(listed: &[Result<Found, Unusable>]) -> Vec<&Found> {
    let all: Vec<&Found> = usable(listed).collect();
    let open = || all.iter().copied().filter(|own| own.is_open());
    let above = |found: &Found| open().filter(|own| taken_back(&all, own).contains(found.id.as_str())).count();
    let mut ordered: Vec<&Found> = open().collect();
    ordered.sort_by_key(|found| above(found));
    ordered
}

/// The ids of the journals that one takes back: its own, and those that these had taken back.
pub(super) fn taken_back<'a>(all: &[&'a Found], found: &'a Found) -> BTreeSet<&'a str> {
    let mut ids = BTreeSet::new();
    let mut last = found;
    while let Some(journal) = last.history.begin().origin.takes_back() {
        let Some(next) = all.iter().copied().find(|own| own.id == journal).filter(|own| ids.insert(own.id.as_str()))
        else {
            break;
        };
        last = next;
    }
    ids
}

/// Returns the way to a new plan: none can be applied while a journal is open.
#[cfg(feature = "aws")]
pub(super) fn to_a_plan(listed: &[Result<Found, Unusable>]) -> String {
    let plan = "`secateur collect` and `secateur plan`";
    let closing: Vec<String> = in_order(listed).iter().map(|own| format!("`{}`", leave(&own.id))).collect();
    match closing.is_empty() {
        true => format!("make a new plan with {plan}"),
        false => format!("{}, then {plan}: nothing can be applied while a journal is open", closing.join(", ")),
    }
}
