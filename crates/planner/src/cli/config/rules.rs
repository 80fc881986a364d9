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
    expires: Option<toml::Spanned<toml::Value>>,
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
    expires: Option<toml::Spanned<toml::Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceTable {
    policy: String,
    file: String,
}

/// What is wrong with a rule.
pub(super) struct Wrong {
    /// The rule's place in the file.
    pub rule: usize,
    /// Where in the text, if that is known better.
    pub offset: Option<usize>,
    pub detail: String,
}

/// Where in the text, if that is known, and what is wrong there.
type Detail = (Option<usize>, String);

fn all<T, U>(tables: Vec<T>, rule: impl Fn(T) -> Result<U, Detail>) -> Result<Vec<U>, Wrong> {
    let numbered = tables.into_iter().enumerate();
    numbered.map(|(at, table)| rule(table).map_err(|(offset, detail)| Wrong { rule: at, offset, detail })).collect()
}

/// A date, as TOML's own (`2026-12-31`) or as a string.
fn expiry(date: Option<&toml::Spanned<toml::Value>>) -> Result<Option<Expiry>, Detail> {
    let Some(date) = date else { return Ok(None) };
    let wrong =
        |detail: String| (Some(date.span().start), format!("expires: {detail} is not a date such as 2026-12-31"));
    let text = match date.get_ref() {
        toml::Value::String(text) => text.clone(),
        toml::Value::Datetime(date) => date.to_string(),
        other => return Err(wrong(format!("a {}", other.type_str()))),
    };
    let date = text.parse().map_err(|_| wrong(format!("`{text}`")))?;
    Ok(Some(Expiry(date)))
}

fn reason(text: &str) -> Result<String, Detail> {
    if text.trim().is_empty() { Err((None, "reason: must say why".to_owned())) } else { Ok(text.to_owned()) }
}

pub(super) fn keep(tables: Vec<KeepTable>) -> Result<Vec<KeepRule>, Wrong> {
    all(tables, |table| {
        if table.actions.is_empty() && table.principals.is_empty() && table.policies.is_empty() {
            return Err((None, "give actions, principals or policies".to_owned()));
        }
        if let Some(action) = table.actions.iter().find(|action| *action != "*" && !action.contains(':')) {
            return Err((None, format!("actions: `{action}` has no service: write `service:Action`")));
        }
        Ok(KeepRule {
            actions: table.actions.iter().map(|action| ActionPattern::new(action)).collect(),
            reason: reason(&table.reason)?,
            expires: expiry(table.expires.as_ref())?,
            principals: table.principals,
            policies: table.policies,
        })
    })
}

pub(super) fn ignore(tables: Vec<IgnoreTable>) -> Result<Vec<IgnoreRule>, Wrong> {
    all(tables, |table| {
        let lists = [&table.principals, &table.policies, &table.paths, &table.tags];
        if lists.iter().all(|list| list.is_empty()) {
            return Err((None, "give principals, policies, paths or tags".to_owned()));
        }
        Ok(IgnoreRule {
            reason: reason(&table.reason)?,
            expires: expiry(table.expires.as_ref())?,
            principals: table.principals,
            policies: table.policies,
            paths: table.paths,
            tags: table.tags,
        })
    })
}

pub(super) fn source(tables: Vec<SourceTable>) -> Result<Vec<SourceRule>, Wrong> {
    all(tables, |table| {
        if table.policy.is_empty() || table.file.is_empty() {
            return Err((None, "give policy and file".to_owned()));
        }
        Ok(SourceRule { policy: table.policy, file: table.file })
    })
}
