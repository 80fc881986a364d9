//! `[[keep]]`, `[[ignore]]` and `[[source]]`.

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::rules::{Expiry, IgnoreRule, KeepRule, SourceRule};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeepTable {
    #[serde(default)]
    actions: Vec<String>,
    #[serde(default)]
    principals: Vec<String>,
    #[serde(default)]
    policies: Vec<String>,
    reason: String,
    expires: Option<toml::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IgnoreTable {
    #[serde(default)]
    principals: Vec<String>,
    #[serde(default)]
    policies: Vec<String>,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    reason: String,
    expires: Option<toml::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceTable {
    policy: String,
    file: String,
}

/// The rule's place in the file, and what is wrong with it.
type Wrong = (usize, String);

/// A date, as TOML's own (`2026-12-31`) or as a string.
fn expiry(date: Option<&toml::Value>) -> Result<Option<Expiry>, String> {
    let text = match date {
        None => return Ok(None),
        Some(toml::Value::String(text)) => text.clone(),
        Some(toml::Value::Datetime(date)) => date.to_string(),
        Some(other) => return Err(format!("expires: a {} is not a date such as 2026-12-31", other.type_str())),
    };
    let date = text.parse().map_err(|_| format!("expires: `{text}` is not a date such as 2026-12-31"))?;
    Ok(Some(Expiry(date)))
}

fn reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("reason: must say why".to_owned()) } else { Ok(text.to_owned()) }
}

pub(super) fn keep(tables: Vec<KeepTable>) -> Result<Vec<KeepRule>, Wrong> {
    let rule = |table: KeepTable| {
        if table.actions.is_empty() && table.principals.is_empty() && table.policies.is_empty() {
            return Err("give actions, principals or policies".to_owned());
        }
        if let Some(action) = table.actions.iter().find(|action| *action != "*" && !action.contains(':')) {
            return Err(format!("actions: `{action}` has no service: write `service:Action`"));
        }
        Ok(KeepRule {
            actions: table.actions.iter().map(|action| ActionPattern::new(action)).collect(),
            reason: reason(&table.reason)?,
            expires: expiry(table.expires.as_ref())?,
            principals: table.principals,
            policies: table.policies,
        })
    };
    tables.into_iter().enumerate().map(|(at, table)| rule(table).map_err(|detail| (at, detail))).collect()
}

pub(super) fn ignore(tables: Vec<IgnoreTable>) -> Result<Vec<IgnoreRule>, Wrong> {
    let rule = |table: IgnoreTable| {
        let lists = [&table.principals, &table.policies, &table.paths, &table.tags];
        if lists.iter().all(|list| list.is_empty()) {
            return Err("give principals, policies, paths or tags".to_owned());
        }
        Ok(IgnoreRule {
            reason: reason(&table.reason)?,
            expires: expiry(table.expires.as_ref())?,
            principals: table.principals,
            policies: table.policies,
            paths: table.paths,
            tags: table.tags,
        })
    };
    tables.into_iter().enumerate().map(|(at, table)| rule(table).map_err(|detail| (at, detail))).collect()
}

pub(super) fn source(tables: Vec<SourceTable>) -> Result<Vec<SourceRule>, Wrong> {
    let rule = |(at, table): (usize, SourceTable)| {
        if table.policy.is_empty() || table.file.is_empty() {
            return Err((at, "give policy and file".to_owned()));
        }
        Ok(SourceRule { policy: table.policy, file: table.file })
    };
    tables.into_iter().enumerate().map(rule).collect()
}
