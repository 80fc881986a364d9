//! The settings of `[evidence]`, with their defaults.

use crate::time::DAY;

/// The settings of `[evidence]`. Days are of 86,400 s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long something must be unused before it may go.
    pub min_idle_days: u32,
    /// How old a report may be at `now`.
    pub max_report_age_days: u32,
    /// How long an access key must be unused before it is deactivated.
    pub max_key_idle_days: u32,
    /// How old the catalogue may be when a pattern is replaced by names.
    pub max_catalog_age_days: u32,
    /// The Regions in use; empty when not configured.
    pub regions_in_use: Vec<String>,
    /// What to do when nothing tells when a permission was granted.
    pub unknown_grant_date: UnknownGrantDate,
    /// What to think of KMS permissions that services may use on a principal's behalf.
    pub kms_via_service: KmsViaService,
    /// Whether KMS keys leave `Resource` lists.
    pub kms: KmsPruning,
    /// What to do with principals that used nothing at all.
    pub dormant: Dormant,
}

/// `unknown_grant_date`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownGrantDate {
    /// `assume-old`: think it was granted long ago; the plan counts the removals that rest on this.
    AssumeOld,
    /// `keep`
    Keep,
}

/// `kms_via_service`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KmsViaService {
    /// `protect`: keep the KMS data-plane actions while another service is active.
    Protect,
    /// `trust`: believe the report.
    Trust,
}

/// `kms`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KmsPruning {
    /// `off`
    Off,
    /// `advise`
    Advise,
    /// `prune`
    Prune,
}

/// `dormant`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dormant {
    /// `advise`: one line; the principal's changes are withheld.
    Advise,
    /// `prune`
    Prune,
}

impl UnknownGrantDate {
    /// Returns the word of `secateur.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            UnknownGrantDate::AssumeOld => "assume-old",
            UnknownGrantDate::Keep => "keep",
        }
    }
}

impl KmsViaService {
    /// Returns the word of `secateur.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            KmsViaService::Protect => "protect",
            KmsViaService::Trust => "trust",
        }
    }
}

impl KmsPruning {
    /// Returns the word of `secateur.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            KmsPruning::Off => "off",
            KmsPruning::Advise => "advise",
            KmsPruning::Prune => "prune",
        }
    }
}

impl Dormant {
    /// Returns the word of `secateur.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Dormant::Advise => "advise",
            Dormant::Prune => "prune",
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            min_idle_days: 90,
            max_report_age_days: 7,
            max_key_idle_days: 90,
            max_catalog_age_days: 30,
            regions_in_use: Vec::new(),
            unknown_grant_date: UnknownGrantDate::AssumeOld,
            kms_via_service: KmsViaService::Protect,
            kms: KmsPruning::Off,
            dormant: Dormant::Advise,
        }
    }
}

impl Settings {
    /// Returns `min_idle_days` in seconds.
    pub fn min_idle(&self) -> i64 {
        i64::from(self.min_idle_days) * DAY
    }
}
