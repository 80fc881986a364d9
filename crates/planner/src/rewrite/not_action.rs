//! `NotAction` in an Allow statement: what may go is added to the list.
//!
//! Adding to `NotAction` in an Allow narrows it, today and for actions to come
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html>).

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::catalog::ServiceId;
use secateur_analyzer::document::{ActionList, Statement};

use super::{NotActionRewrite, Rewriting, Rewritten, StatementOutcome, layout, unknown_matches};

pub(super) fn rewrite(
    text: &str,
    at: usize,
    statement: &Statement,
    list: &ActionList,
    by: &Rewriting<'_>,
    rewritten: &mut Rewritten,
) -> StatementOutcome {
    let mut goes = by.catalog.covered(&statement.actions);
    let mut stays = goes.clone();
    goes.intersect_with(by.removable);
    stays.difference_with(by.removable);
    if goes.is_empty() {
        return StatementOutcome::Unchanged;
    }
    if by.not_action == NotActionRewrite::Advise {
        rewritten.advised.push(at);
        return StatementOutcome::Unchanged;
    }
    let everything = ActionPattern::new("*");
    let unknown: Vec<ActionPattern> = unknown_matches(by.unknown, &everything)
        .map(|name| ActionPattern::new(&name))
        .filter(|name| !list.entries.iter().any(|entry| entry.pattern.includes(name)))
        .collect();
    if stays.is_empty() && unknown.is_empty() {
        return StatementOutcome::Gone;
    }
    let names = additions(by, &goes, &stays, &unknown);
    if names.is_empty() {
        return StatementOutcome::Unchanged;
    }
    StatementOutcome::Edited(vec![layout::append(text, statement, list, &names)])
}

/// What to add: `service:*` where nothing of the service stays, else the names.
fn additions(
    by: &Rewriting<'_>,
    goes: &secateur_analyzer::catalog::ActionSet,
    stays: &secateur_analyzer::catalog::ActionSet,
    unknown: &[ActionPattern],
) -> Vec<String> {
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
        } else if by.not_action == NotActionRewrite::Extend {
            names.extend(leaving.map(|id| catalog.full_name(id)));
        }
    }
    names
}
