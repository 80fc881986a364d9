//! Unused KMS keys that stay all the same: nobody can have used them yet by this policy, or a report says otherwise.

use std::collections::BTreeSet;

use secateur_analyzer::account::{Granularity, KeyLastUsed, Report, ServiceRow};
use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::{ActionId, ActionSet, Tracked};
use secateur_analyzer::document::{Effect, PolicyDocument, Statement};
use secateur_analyzer::graph::{Entity, PolicyId, PrincipalId};
use secateur_analyzer::time::{DAY, UnixTime};
use secateur_analyzer::verdict::ReportTimes;
use secateur_analyzer::wildcard;

use super::Withheld;
use crate::rewrite::KeyCut;

/// What stays of the keys that could leave a document, if only their own use counted.
pub(super) struct Staying<'s, 'a> {
    pub analysis: &'s Analysis<'a>,
    pub policy: PolicyId,
    pub document: &'s PolicyDocument,
    /// The statements, from 1, and the keys.
    pub keys: BTreeSet<(usize, String)>,
    pub withheld: Vec<Withheld>,
}

impl Staying<'_, '_> {
    /// Keeps the keys that some holder, or the statement, has had for less than `min_idle_days`.
    pub fn keep_recent(&mut self, cut: &KeyCut) {
        let Some(statement) = statement(self.document, cut.statement) else { return };
        let days = self.analysis.inputs().settings.min_idle_days;
        if let Some((holder, since)) = self.analysis.recent_key_holder(self.policy) {
            let who = self.analysis.graph().entity_address(Entity::Principal(holder));
            let why = format!("{who} may have had it since {} only, less than {days} days", since.date());
            self.keep(cut, &cut.arns, "too-recent", &why);
            return;
        }
        for arn in &cut.arns {
            if let Some(since) = self.analysis.recent_key_grant(self.policy, statement, arn) {
                let why = format!("it may name it since {} only, less than {days} days", since.date());
                self.keep(cut, std::slice::from_ref(arn), "too-recent", &why);
            }
        }
    }

    /// Keeps the statements that would go whole though a report or an access key shows the use of what nothing else in the
    /// document allows.
    pub fn keep_contradicted(&mut self, cuts: &[KeyCut]) {
        let is_whole = |cut: &&KeyCut| {
            cut.is_whole && !cut.arns.iter().any(|arn| self.keys.contains(&(cut.statement, arn.clone())))
        };
        let whole: Vec<&KeyCut> = cuts.iter().filter(is_whole).collect();
        if whole.is_empty() {
            return;
        }
        let catalog = self.analysis.catalog();
        let mut explained = catalog.empty_set();
        let others = self.document.statements.iter().enumerate();
        let others = others.filter(|(at, _)| !whole.iter().any(|cut| cut.statement == at + 1));
        for (_, statement) in others.filter(|(_, statement)| may_be_about_keys(statement)) {
            explained.union_with(&catalog.covered(&statement.actions));
        }
        for cut in whole {
            let Some(statement) = statement(self.document, cut.statement) else { continue };
            let mut lost = catalog.covered(&statement.actions);
            lost.difference_with(&explained);
            if let Some(why) = self.used_of(&lost) {
                self.keep(cut, &cut.arns, "contradicted", &why);
            }
        }
    }

    fn keep(&mut self, cut: &KeyCut, arns: &[String], reason: &str, why: &str) {
        let sid = cut.sid.as_ref().map(|sid| format!(" \"{sid}\"")).unwrap_or_default();
        let mut named: Vec<&str> = Vec::new();
        arns.iter().for_each(|arn| {
            if !named.contains(&arn.as_str()) {
                named.push(arn)
            }
        });
        let (keys, stay) = (named.join(", "), if named.len() == 1 { "stays" } else { "stay" });
        self.keys.extend(arns.iter().map(|arn| (cut.statement, arn.clone())));
        self.withheld.push(Withheld {
            address: self.analysis.graph().address(self.policy).to_owned(),
            reason: reason.to_owned(),
            detail: format!("{keys} {stay} in statement {}{sid}: {why}", cut.statement),
        });
    }

    /// Who used one of the actions, or may have, and what shows it, in words; of the first holder. Nothing else in the document
    /// allows these actions.
    fn used_of(&self, actions: &ActionSet) -> Option<String> {
        let holders = &self.analysis.policy(self.policy)?.holders;
        holders.iter().find_map(|holder| {
            let (report, times) = self.analysis.principal(holder.principal)?.evidence.report().ok()?;
            let who = self.analysis.graph().entity_address(Entity::Principal(holder.principal));
            let by_report = actions.iter().find_map(|id| self.reported(report, times, id));
            let by_report = by_report.map(|shown| format!("the report on {who} shows {shown}"));
            let by_key = || actions.iter().find_map(|id| self.used_by_key(holder.principal, report, times, id));
            by_report.or_else(|| Some(format!("an access key of {who} {}", by_key()?)))
        })
    }

    /// What a report shows of the use of an action.
    fn reported(&self, report: &Report, times: ReportTimes, id: ActionId) -> Option<String> {
        let catalog = self.analysis.catalog();
        let service = catalog.service_of(id);
        let row = report.service(service)?;
        let recent = |last: Option<UnixTime>| last.filter(|last| self.is_recent(*last, times));
        let name = catalog.full_name(id);
        if report.granularity != Granularity::Action {
            // It says nothing of actions: any of them may have been it.
            recent(row.last_use())?;
            let prefix = catalog.service_prefix(service);
            return Some(format!("{prefix} in use, by actions that it does not tell; {}", nothing_else(&name)));
        }
        if recent(row.action(id).and_then(|listed| listed.last_accessed())).is_some() {
            return Some(format!("{name} in use, which nothing else in the document allows"));
        }
        let unexplained = recent(unexplained(row)).filter(|_| is_untold(self.analysis, row, id))?;
        let day = unexplained.date();
        Some(format!(
            "use of KMS on {day} by no action that it lists: it may have been {name}, which nothing else in the document allows"
        ))
    }

    /// What an access key shows of use of the action's service that the report does not show. AWS says of a key which service
    /// it was used for, and a name that the catalogue does not know may stand for any.
    fn used_by_key(&self, holder: PrincipalId, report: &Report, times: ReportTimes, id: ActionId) -> Option<String> {
        let (account, catalog) = (self.analysis.inputs().account, self.analysis.catalog());
        let own = catalog.service_of(id);
        let principal = account.principals.get(holder.0)?;
        account.access_keys.get(&principal.arn)?.iter().find_map(|key| {
            let KeyLastUsed::At { time, service, .. } = &key.last_used else { return None };
            let day = time.date();
            let shows = |row: &ServiceRow| match row.last_use() {
                // What came after the time that the report sees is told by other recent use only.
                Some(last) if *time > times.observed => self.is_recent(last, times),
                Some(last) => last.since(*time) >= -DAY,
                None => false,
            };
            // Later use is use of something, and not of what the key was used for.
            let is_of_then =
                |row: &ServiceRow| *time > times.observed || row.last_use().is_some_and(|last| last.since(*time) <= DAY);
            match catalog.service(service) {
                _ if !self.is_recent(*time, times) => None,
                Some(used) if used != own || report.service(own).is_some_and(shows) => None,
                Some(_) => Some(format!(
                    "was used for {service} on {day}, which the report does not show; {}",
                    nothing_else(&catalog.full_name(id))
                )),
                None if report.services.iter().any(|row| shows(row) && is_of_then(row)) => None,
                None => Some(format!(
                    "was used on {day} for `{service}`, which may be KMS under another name, and no service of the report was \
                     used then; {}",
                    nothing_else(&catalog.full_name(id))
                )),
            }
        })
    }

    fn is_recent(&self, time: UnixTime, times: ReportTimes) -> bool {
        times.observed.since(time) < self.analysis.inputs().settings.min_idle()
    }
}

fn nothing_else(action: &str) -> String {
    format!("nothing else in the document allows {action}")
}

/// The last use of a service, if it is later than that of every action that the report lists.
fn unexplained(row: &ServiceRow) -> Option<UnixTime> {
    let known = row.actions.iter().map(|listed| listed.last_accessed());
    let listed = known.chain(row.unknown_actions.iter().map(|(_, last)| *last)).max().flatten();
    row.last_authenticated.filter(|last| listed.is_none_or(|listed| listed < *last))
}

/// Whether the report says nothing of the action: AWS does not track it, or did not list it.
fn is_untold(analysis: &Analysis<'_>, row: &ServiceRow, id: ActionId) -> bool {
    !matches!(analysis.catalog().tracked(id), Tracked::Yes { .. }) || row.action(id).is_none()
}

fn statement(document: &PolicyDocument, number: usize) -> Option<&Statement> {
    document.statements.get(number.checked_sub(1)?)
}

/// Whether a statement allows something on what may be a KMS key.
fn may_be_about_keys(statement: &Statement) -> bool {
    let is_about_kms =
        |text: &str| text.split(':').nth(2).is_none_or(|service| wildcard::matches_ignore_case(service, "kms"));
    statement.effect == Effect::Allow
        && (statement.resources.is_empty() || statement.resources.iter().any(|resource| is_about_kms(&resource.text)))
}
