//! Since when somebody can have used a KMS key by a document, and whether a report says that somebody did.

use std::collections::BTreeSet;

use super::super::draw::DAY;
use super::super::scene::{Bearer, EventKind, Place, Principal, Row, Scene, State};
use super::super::settings::Settings;
use crate::judge::{Effect, Policy};

/// AWS's delay in recording the use of a key; the report's own is four hours.
const KEY_DELAY: i64 = 3_600;
const REPORT_DELAY: i64 = 4 * 3_600;

/// Those who hold a document.
fn holders(scene: &Scene, place: Place) -> impl Iterator<Item = (usize, &Principal)> {
    scene.principals.iter().enumerate().filter(move |(at, _)| scene.held_by(*at).contains(&place))
}

/// The latest time since which nobody's silence about a key tells that it was not needed.
fn deadline(scene: &Scene, settings: &Settings) -> i64 {
    scene.started() - KEY_DELAY - settings.min_idle()
}

/// Why a key must stay in a document: somebody was surely given it lately.
pub fn surely_recent(scene: &Scene, settings: &Settings, place: Place, arn: &str) -> Option<String> {
    let deadline = deadline(scene, settings);
    if let Place::Managed(at) = place {
        let own = scene.managed.get(at)?;
        let had = own.previous.as_ref().is_some_and(|(before, made)| *made <= deadline && before.text.contains(arn));
        if own.created > deadline && !had {
            return Some("the version that names it is new".to_owned());
        }
    }
    holders(scene, place).find_map(|(at, own)| {
        let name = &own.name;
        if own.created > deadline || boundary_made(scene, own).is_some_and(|made| made > deadline) {
            return Some(format!("{name} or its boundary is new"));
        }
        let Some(history) = &scene.history else {
            return settings.keeps_unknown_grants.then(|| format!("nothing tells when {name} was granted it"));
        };
        let bearer = Bearer::Principal(at);
        let is_only_direct = |policy: usize| {
            let sources = scene.sources_of(at).into_iter();
            sources.filter(|source| scene.attached_to(*source).any(|own| own == policy)).eq([bearer])
        };
        let events = history.events.iter().filter(|event| event.principal == at && event.time > deadline);
        let mut granting = events.filter(|event| match event.kind {
            EventKind::Attach(policy) => place == Place::Managed(policy) && is_only_direct(policy),
            EventKind::Put(inline) => place == Place::Inline(bearer, inline),
            EventKind::Tag => false,
        });
        if granting.next().is_some() {
            return Some(format!("{name} was granted it lately"));
        }
        let is_short = history.from - DAY - REPORT_DELAY > deadline;
        (settings.keeps_unknown_grants && is_short).then(|| format!("the history is too short for {name}"))
    })
}

/// Whether somebody may have been given the keys of a document lately, by any reading.
pub fn perhaps_recent(scene: &Scene, settings: &Settings, place: Place) -> bool {
    let deadline = deadline(scene, settings);
    let is_new = |at: usize| scene.managed.get(at).is_none_or(|own| own.created > deadline);
    matches!(place, Place::Managed(at) if is_new(at))
        || holders(scene, place).any(|(at, own)| {
            let events = scene.history.iter().flat_map(|history| &history.events);
            let mut late = events.filter(|event| event.principal == at && event.time > deadline);
            let is_long = scene.history.as_ref().is_some_and(|history| history.from <= deadline);
            own.created > deadline
                || boundary_made(scene, own).is_some_and(|made| made > deadline)
                || scene.held_by(at).into_iter().any(|place| may_have_denied(scene, place, deadline))
                || late.any(|event| event.kind != EventKind::Tag || scene.minds_tags(at))
                || (settings.keeps_unknown_grants && !is_long)
        })
}

/// Whether a version of another policy that was in force until lately may have denied something.
fn may_have_denied(scene: &Scene, place: Place, deadline: i64) -> bool {
    let Place::Managed(at) = place else { return false };
    scene.managed.get(at).filter(|own| own.created > deadline).and_then(|own| own.previous.as_ref()).is_some_and(
        |(before, _)| {
            let denies = |policy: &Policy| policy.statements.iter().any(|own| own.effect == Effect::Deny);
            before.policy.as_ref().map_or(true, denies)
        },
    )
}

fn boundary_made(scene: &Scene, own: &Principal) -> Option<i64> {
    own.boundary.and_then(|at| scene.managed.get(at)).map(|managed| managed.created)
}

/// The KMS actions that the reports of a document's holders show in use, and whether one shows KMS in use and no actions.
fn used(scene: &Scene, settings: &Settings, place: Place) -> (BTreeSet<String>, bool) {
    let (mut names, mut is_any) = (BTreeSet::new(), false);
    for (_, own) in holders(scene, place) {
        let Some(report) = &own.report else { continue };
        let Some(row) = report.rows.get("kms") else { continue };
        let is_recent =
            |time: Option<i64>| time.is_some_and(|time| report.generated - REPORT_DELAY - time < settings.min_idle());
        match report.state {
            State::Whole => {
                let recent = row.actions.iter().filter(|(_, last)| is_recent(**last));
                names.extend(recent.map(|(name, _)| format!("kms:{name}")));
            }
            _ => is_any |= is_recent(row.last),
        }
    }
    (names, is_any)
}

/// Whether some report shows KMS in use, or there is none that would.
pub fn is_kms_used(scene: &Scene, settings: &Settings, place: Place) -> bool {
    let (names, is_any) = used(scene, settings, place);
    let may_be = holders(scene, place).any(|(_, own)| {
        own.report.as_ref().is_none_or(|report| {
            let last = report.rows.get("kms").and_then(Row::last_use);
            let is_recent = |last: i64| report.generated - REPORT_DELAY - last < settings.min_idle();
            report.state != State::Whole || last.is_some_and(is_recent)
        })
    });
    is_any || may_be || !names.is_empty()
}

/// An action that a report shows in use, that the document allowed, and that nothing of what takes its place allows.
pub fn lost_use(scene: &Scene, settings: &Settings, place: Place, after: &[&str]) -> Option<String> {
    let before = scene.document(place)?.policy.as_ref().ok()?;
    let after: Vec<Policy> = after.iter().filter_map(|text| Policy::parse(text).ok()).collect();
    let allows = |policy: &Policy, name: &str| {
        policy.statements.iter().any(|statement| statement.effect == Effect::Allow && statement.is_about(name))
    };
    let (names, _) = used(scene, settings, place);
    names.into_iter().find(|name| allows(before, name) && !after.iter().any(|policy| allows(policy, name)))
}
