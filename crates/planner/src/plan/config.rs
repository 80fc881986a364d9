//! The settings of `[rewrite]` and `[limits]`, and what else a plan is made by.

use super::{InputFile, Selection};
use crate::rewrite::NotActionRewrite;
use crate::rewrite::cover::Wildcards;

/// The settings of `[rewrite]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RewriteSettings {
    /// `not_action`
    pub not_action: NotActionRewrite,
    /// `wildcards`
    pub wildcards: Wildcards,
    /// `split`: a customer-managed policy that does not fit becomes several.
    pub split: bool,
    /// `aws_managed`
    pub aws_managed: AwsManaged,
}

/// `aws_managed`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsManaged {
    /// `advise`: detach what is not used at all, and say what could go of the rest.
    Advise,
    /// `replace`: a pruned copy takes the place of what is used in part.
    Replace,
}

impl Default for RewriteSettings {
    fn default() -> RewriteSettings {
        RewriteSettings {
            not_action: NotActionRewrite::Extend,
            wildcards: Wildcards::Fit,
            split: false,
            aws_managed: AwsManaged::Advise,
        }
    }
}

/// The settings of `[limits]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// `max_changes`: changes beyond it, by address, are withheld.
    pub max_changes: Option<usize>,
    /// `max_removed_per_policy`: a change that removes more actions is withheld.
    pub max_removed_per_policy: Option<usize>,
}

/// What a plan is made by, beside the analysis.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// The settings of `[rewrite]`.
    pub rewrite: RewriteSettings,
    /// The settings of `[limits]`.
    pub limits: Limits,
    /// Which changes are wanted.
    pub selection: Selection,
    /// Where the snapshot is.
    pub snapshot: InputFile,
    /// Where the older snapshot is.
    pub older_snapshot: Option<InputFile>,
    /// Where the configuration is.
    pub config: Option<InputFile>,
}

impl PlanOptions {
    /// Returns the default settings for a snapshot: everything is wanted, nothing is limited.
    pub fn new(snapshot: InputFile) -> PlanOptions {
        PlanOptions {
            rewrite: RewriteSettings::default(),
            limits: Limits::default(),
            selection: Selection::default(),
            snapshot,
            older_snapshot: None,
            config: None,
        }
    }
}
