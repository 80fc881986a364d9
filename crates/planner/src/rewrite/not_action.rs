//! `NotAction` in an Allow statement: what may go is added to the list, or what stays becomes an `Action` list.
//!
//! Adding to `NotAction` in an Allow narrows it, today and for actions to come; an `Action` list no longer follows AWS
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html>).

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::catalog::{ActionSet, ServiceId};
use secateur_analyzer::document::ActionBlock;

use super::patterns::Slots;
use super::slot::{NotActionList, SlotKind};
use super::{NotActionRewrite, Rewriting, Splitting, unknown_matches};

/// What becomes of a statement with `NotAction`.
#[derive(Debug)]
pub(super) enum NotActionOutline {
    Unchanged,
    /// Something of it may go, and it is only said.
    Advised,
    /// Its inverse cannot be written, and why.
    Uninverted(&'static str),
    /// Its inverse would not be written by names.
    Unsplit,
    Gone,
    /// What stands in the slot is added to the list.
    Extended(usize),
    /// What stands in the slot takes the place of the list, as `Action`.
    Inverted(usize),
}

pub(super) fn outline(
    actions: &ActionBlock,
    by: &Rewriting<'_>,
    is_renamable: bool,
    slots: &mut Slots,
) -> NotActionOutline {
    let covered = by.catalog.covered(actions);
    let mut goes = covered.clone();
    let mut stays = covered.clone();
    goes.intersect_with(by.removable);
    stays.difference_with(by.removable);
    if goes.is_empty() {
        return NotActionOutline::Unchanged;
    }
    if by.not_action == NotActionRewrite::Advise {
        return NotActionOutline::Advised;
    }
    let patterns: Vec<ActionPattern> = actions.list().entries.iter().map(|entry| entry.pattern.clone()).collect();
    let everything = ActionPattern::new("*");
    let unknown: Vec<ActionPattern> = unknown_matches(by.unknown, &everything)
        .map(|name| ActionPattern::new(&name))
        .filter(|name| !patterns.iter().any(|entry| entry.includes(name)))
        .collect();
    if stays.is_empty() && unknown.is_empty() {
        return NotActionOutline::Gone;
    }
    let list = NotActionList { patterns, covered };
    if by.not_action == NotActionRewrite::Invert && !is_renamable {
        return NotActionOutline::Uninverted("its key is written with escapes");
    }
    if by.not_action == NotActionRewrite::Invert {
        return invert(list, &stays, &unknown, by, slots);
    }
    if slots.is_too_long() {
        return NotActionOutline::Unsplit;
    }
    let names = additions(by, &goes, &stays, &unknown);
    match slots.add(SlotKind::Exempt(list), names) {
        Some(slot) => NotActionOutline::Extended(slot),
        None => NotActionOutline::Unchanged,
    }
}

/// Lists what stays. A part of an unknown service that the list exempts cannot be taken out of a pattern; such a list stays.
fn invert(
    list: NotActionList,
    stays: &ActionSet,
    unknown: &[ActionPattern],
    by: &Rewriting<'_>,
    slots: &mut Slots,
) -> NotActionOutline {
    let overlaps = |name: &ActionPattern| list.patterns.iter().any(|pattern| !pattern.is_disjoint(name));
    if by.splitting == Splitting::Never || slots.is_too_long() {
        return NotActionOutline::Unsplit;
    }
    if unknown.iter().any(overlaps) {
        return NotActionOutline::Uninverted("it exempts a part of a service that the catalogue does not know");
    }
    let mut names: Vec<String> = stays.iter().map(|id| by.catalog.full_name(id)).collect();
    names.extend(unknown.iter().map(|name| name.as_str().to_owned()));
    names.sort_by_cached_key(|name| name.to_ascii_lowercase());
    names.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    match slots.add(SlotKind::Outside(list), names) {
        Some(slot) => NotActionOutline::Inverted(slot),
        None => NotActionOutline::Unchanged,
    }
}

/// What to add: `service:*` where nothing of the service stays, else the names.
fn additions(by: &Rewriting<'_>, goes: &ActionSet, stays: &ActionSet, unknown: &[ActionPattern]) -> Vec<String> {
    let catalog = by.catalog;
    let goes_whole = |service: ServiceId| {
        let prefix = catalog.service_prefix(service);
        !catalog.actions_of(service).any(|id| stays.contains(id))
            && !unknown.iter().any(|name| name.service() == prefix.to_ascii_lowercase())
    };
    let mut names = Vec::new();
    for service in catalog.services() {
        let mut leaving = catalog.actions_of(service).filter(|id| goes.contains(*id)).peekable();
        if leaving.peek().is_none() {
            continue;
        }
        if goes_whole(service) {
            names.push(format!("{}:*", catalog.service_prefix(service)));
        } else {
            names.extend(leaving.map(|id| catalog.full_name(id)));
        }
    }
    names
}
