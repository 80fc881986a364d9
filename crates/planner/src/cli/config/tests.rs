use super::*;
use crate::cli::Exit;

fn check_refused(text: &str, expect: &str) {
    let failure = parse(Path::new("secateur.toml"), text.as_bytes()).unwrap_err();
    assert_eq!(failure.to_text().replace(&format!("\nhelp: {HELP}"), ""), expect, "{text}");
    assert_eq!(failure.exit(), Exit::Error);
}

#[test]
fn an_unknown_key_is_an_error_with_the_nearest_known_one() {
    check_refused(
        "[evidence]\nmin_idle_day = 30\n",
        "`secateur.toml` line 2, column 1: unknown key `min_idle_day`\nhelp: did you mean `min_idle_days`?",
    );
    check_refused(
        "[evidense]\n",
        "`secateur.toml` line 1, column 2: unknown key `evidense`\nhelp: did you mean `evidence`?",
    );
    check_refused(
        "[[source]]\npolicy = 'x'\nzzz = 1\n",
        "`secateur.toml` line 3, column 1: unknown key `zzz`\nhelp: the keys here are policy, file",
    );
}

#[test]
fn values_that_are_not_allowed_are_named() {
    check_refused("[evidence]\nmin_idle_days = 0\n", "`secateur.toml`: evidence.min_idle_days: must be at least 1");
    check_refused(
        "[evidence]\ndormant = 'delete'\n",
        "`secateur.toml`: evidence.dormant: `delete` is none of `advise`, `prune`",
    );
    check_refused(
        "[evidence]\nkms = 'delete'\n",
        "`secateur.toml`: evidence.kms: `delete` is none of `off`, `advise`, `prune`",
    );
    check_refused(
        "[rewrite]\nwildcards = 'often'\n",
        "`secateur.toml`: rewrite.wildcards: `often` is none of `fit`, `exact`, `never`",
    );
    check_refused("[[keep]]\nactions = ['s3:*']\n", "`secateur.toml` line 1, column 1: missing field `reason`");
    check_refused("[[keep]]\nreason = 'x'\n", "`secateur.toml`: keep[0]: give actions, principals or policies");
    check_refused(
        "[[keep]]\nactions = ['s3']\nreason = 'x'\n",
        "`secateur.toml`: keep[0]: actions: `s3` has no service: write `service:Action`",
    );
    check_refused(
        "[[ignore]]\npaths = ['/x/']\nreason = 'x'\nexpires = 'soon'\n",
        "`secateur.toml` line 4, column 11: ignore[0]: expires: `soon` is not a date such as 2026-12-31",
    );
}

#[test]
fn what_is_set_is_read_and_the_rest_is_default() {
    let text = "
        [evidence]
        min_idle_days = 180
        regions_in_use = ['eu-west-1']
        unknown_grant_date = 'keep'
        kms = 'prune'
        max_key_idle_days = 45
        [rewrite]
        not_action = 'advise'
        [limits]
        max_changes = 3
        [[keep]]
        actions = ['s3:Get*']
        reason = 'audit'
        expires = 2026-12-31
        [[ignore]]
        principals = ['role/break-glass']
        reason = 'break glass'
        expires = '2026-12-31'
        [[source]]
        policy = 'policy/shared'
        file = 'iam.tf'
    ";
    let config = parse(Path::new("secateur.toml"), text.as_bytes()).unwrap();
    assert_eq!(config.settings.min_idle_days, 180);
    assert_eq!(config.settings.max_report_age_days, 7);
    assert_eq!(config.settings.unknown_grant_date, UnknownGrantDate::Keep);
    assert_eq!((config.settings.kms, config.settings.max_key_idle_days), (KmsPruning::Prune, 45));
    assert_eq!(config.rewrite.not_action, NotActionRewrite::Advise);
    assert_eq!(config.limits, Limits { max_changes: Some(3), max_removed_per_policy: None });
    assert_eq!((config.rules.keep[0].expires, config.rules.keep[0].actions.len()), (config.rules.ignore[0].expires, 1));
    assert_eq!(config.rules.source[0].file, "iam.tf");
}
