//! Rules that have just expired.

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::rules::{Expiry, KeepRule, KmsPruning};

use super::*;

const UNUSED: &str = "arn:aws:kms:eu-west-1:111122223333:key/u";
const USED: &str = "arn:aws:kms:eu-west-1:111122223333:key/a";

#[test]
fn what_a_rule_that_has_just_expired_keeps_is_withheld() {
    let list = format!(r#"["{UNUSED}","{USED}"]"#);
    let text = r#"{"Statement":[{"Effect":"Allow","Action":["kms:Decrypt","kms:Encrypt"],"Resource":LIST}]}"#;
    let account = Sketch::new()
        .principal("role/r")
        .report("role/r", "kms 2026-10-09: Decrypt=2026-10-09, Encrypt=2026-10-09")
        .kms_key(UNUSED, "2026-05-01", "2026-05-01", "-")
        .kms_key(USED, "2026-05-01", "2026-05-01", "2026-10-09")
        .inline("role/r", "p", &text.replace("LIST", &list))
        .build();
    let now = time(NOW).unwrap();
    let settings = Settings { kms: KmsPruning::Prune, ..Settings::default() };
    let withheld = |expires: Option<&str>| {
        let rule = KeepRule {
            actions: vec![ActionPattern::new("kms:Decrypt")],
            principals: Vec::new(),
            policies: Vec::new(),
            reason: "yearly restore".to_owned(),
            expires: expires.map(|date| Expiry(date.parse().unwrap())),
        };
        let rules = Rules { keep: vec![rule], ..Rules::default() };
        let analysis = Analysis::new(Inputs::new(&account, &settings, &rules, now)).unwrap();
        let options = PlanOptions::new(InputFile { path: "snapshot".to_owned(), sha256: sha256_of(b"") });
        let plan = build(&analysis, &options).plan;
        let keys: usize = plan.changes.iter().map(|change| change.resources.len()).sum();
        let told = plan.withheld.into_iter().filter(|own| own.reason == "rule-expired").map(|own| own.detail);
        (keys, told.collect::<Vec<_>>())
    };
    assert_eq!(withheld(None), (0, Vec::new()));
    let said = ["kms:Decrypt".to_owned(), format!("the KMS key {UNUSED}")];
    let said = said.map(|what| format!("keep[0] (yearly restore) has just expired; it kept {what}"));
    assert_eq!(withheld(Some("2026-10-01")), (0, said.to_vec()));
    assert_eq!(withheld(Some("2026-01-01")), (1, Vec::new()));
}
