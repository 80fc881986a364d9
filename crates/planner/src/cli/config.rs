//! `secateur.toml`

mod keys;
mod rules;

use std::path::Path;

use secateur_analyzer::document::Position;

use secateur_analyzer::rules::{Dormant, KmsPruning, KmsViaService, Rules, Settings, UnknownGrantDate};
use serde::Deserialize;

use super::failure::Failure;
use crate::plan::{AwsManaged, Limits, RewriteSettings};
use crate::rewrite::NotActionRewrite;
use crate::rewrite::cover::Wildcards;

/// What mends a value.
const HELP: &str = "correct it there; docs/guide.md lists the keys and what they take";

/// What the configuration says.
#[derive(Clone, Debug, Default)]
pub(super) struct Config {
    pub settings: Settings,
    pub rewrite: RewriteSettings,
    pub limits: Limits,
    pub rules: Rules,
    #[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "read in every build, heeded where there is `apply`"))]
    pub apply: ApplySettings,
}

/// The settings of `[apply]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ApplySettings {
    /// `max_plan_age_days`
    pub max_plan_age_days: u32,
    /// `evict_oldest_version`
    pub evict_oldest_version: bool,
}

impl Default for ApplySettings {
    fn default() -> ApplySettings {
        ApplySettings { max_plan_age_days: 7, evict_oldest_version: false }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    evidence: EvidenceTable,
    rewrite: RewriteTable,
    limits: LimitsTable,
    apply: ApplyTable,
    keep: Vec<rules::KeepTable>,
    ignore: Vec<rules::IgnoreTable>,
    source: Vec<rules::SourceTable>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct EvidenceTable {
    min_idle_days: Option<u32>,
    max_report_age_days: Option<u32>,
    max_key_idle_days: Option<u32>,
    max_catalog_age_days: Option<u32>,
    regions_in_use: Vec<String>,
    unknown_grant_date: Option<String>,
    kms_via_service: Option<String>,
    kms: Option<String>,
    dormant: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RewriteTable {
    aws_managed: Option<String>,
    not_action: Option<String>,
    wildcards: Option<String>,
    split: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsTable {
    max_changes: Option<usize>,
    max_removed_per_policy: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ApplyTable {
    max_plan_age_days: Option<u32>,
    evict_oldest_version: Option<bool>,
}

/// Reads a configuration.
///
/// # Errors
/// When it is not TOML, has an unknown key, or a value that is not allowed there.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Config, Failure> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Failure::error("config", format!("`{}` is not UTF-8", path.display())).help("save it as UTF-8"))?;
    let file: File = toml::from_str(text).map_err(|error| keys::explain(path, text, &error))?;
    let wrong = |key: &str, detail: String| {
        Failure::error("config", format!("`{}`: {key}: {detail}", path.display())).help(HELP)
    };
    let at = |rule: &str, wrong: rules::Wrong| {
        let place = wrong.offset.map(|offset| format!(" {}", Position::of(text, offset))).unwrap_or_default();
        let message = format!("`{}`{place}: {rule}[{}]: {}", path.display(), wrong.rule, wrong.detail);
        Failure::error("config", message).help(HELP)
    };
    let rules = Rules {
        keep: rules::keep(file.keep).map_err(|wrong| at("keep", wrong))?,
        ignore: rules::ignore(file.ignore).map_err(|wrong| at("ignore", wrong))?,
        source: rules::source(file.source).map_err(|wrong| at("source", wrong))?,
    };
    let (settings, rewrite) = values(&file.evidence, &file.rewrite).map_err(|(key, detail)| wrong(key, detail))?;
    let defaults = ApplySettings::default();
    let age = days("apply.max_plan_age_days", file.apply.max_plan_age_days, defaults.max_plan_age_days);
    let apply = ApplySettings {
        max_plan_age_days: age.map_err(|(key, detail)| wrong(key, detail))?,
        evict_oldest_version: file.apply.evict_oldest_version.unwrap_or(defaults.evict_oldest_version),
    };
    let limits =
        Limits { max_changes: file.limits.max_changes, max_removed_per_policy: file.limits.max_removed_per_policy };
    Ok(Config { settings, rewrite, limits, rules, apply })
}

type Wrong = (&'static str, String);

fn values(evidence: &EvidenceTable, rewrite: &RewriteTable) -> Result<(Settings, RewriteSettings), Wrong> {
    let defaults = Settings::default();
    let settings = Settings {
        min_idle_days: days("evidence.min_idle_days", evidence.min_idle_days, defaults.min_idle_days)?,
        max_report_age_days: days(
            "evidence.max_report_age_days",
            evidence.max_report_age_days,
            defaults.max_report_age_days,
        )?,
        max_key_idle_days: days("evidence.max_key_idle_days", evidence.max_key_idle_days, defaults.max_key_idle_days)?,
        max_catalog_age_days: days(
            "evidence.max_catalog_age_days",
            evidence.max_catalog_age_days,
            defaults.max_catalog_age_days,
        )?,
        regions_in_use: evidence.regions_in_use.clone(),
        unknown_grant_date: choice(
            "evidence.unknown_grant_date",
            evidence.unknown_grant_date.as_deref(),
            &[("assume-old", UnknownGrantDate::AssumeOld), ("keep", UnknownGrantDate::Keep)],
        )?,
        kms_via_service: choice(
            "evidence.kms_via_service",
            evidence.kms_via_service.as_deref(),
            &[("protect", KmsViaService::Protect), ("trust", KmsViaService::Trust)],
        )?,
        kms: choice(
            "evidence.kms",
            evidence.kms.as_deref(),
            &[("off", KmsPruning::Off), ("advise", KmsPruning::Advise), ("prune", KmsPruning::Prune)],
        )?,
        dormant: choice(
            "evidence.dormant",
            evidence.dormant.as_deref(),
            &[("advise", Dormant::Advise), ("prune", Dormant::Prune)],
        )?,
    };
    let not_action = choice(
        "rewrite.not_action",
        rewrite.not_action.as_deref(),
        &[
            ("extend", NotActionRewrite::Extend),
            ("invert", NotActionRewrite::Invert),
            ("advise", NotActionRewrite::Advise),
        ],
    )?;
    let aws_managed = choice(
        "rewrite.aws_managed",
        rewrite.aws_managed.as_deref(),
        &[("advise", AwsManaged::Advise), ("replace", AwsManaged::Replace)],
    )?;
    let wildcards = choice(
        "rewrite.wildcards",
        rewrite.wildcards.as_deref(),
        &[("fit", Wildcards::Fit), ("exact", Wildcards::Exact), ("never", Wildcards::Never)],
    )?;
    let split = rewrite.split.unwrap_or(false);
    Ok((settings, RewriteSettings { not_action, wildcards, split, aws_managed }))
}

/// A number of days; none would make everything idle.
fn days(key: &'static str, value: Option<u32>, default: u32) -> Result<u32, Wrong> {
    match value {
        Some(0) => Err((key, "must be at least 1".to_owned())),
        Some(days) if days > 36_500 => Err((key, "must be at most 36500".to_owned())),
        other => Ok(other.unwrap_or(default)),
    }
}

/// One of the words; the first is the default.
fn choice<T: Copy>(key: &'static str, value: Option<&str>, words: &[(&'static str, T)]) -> Result<T, Wrong> {
    let found = match value {
        None => words.first(),
        Some(value) => words.iter().find(|(word, _)| *word == value),
    };
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        (key, format!("`{}` is none of {}", value.unwrap_or_default(), words.join(", ")))
    })
}

#[cfg(test)]
mod tests;
