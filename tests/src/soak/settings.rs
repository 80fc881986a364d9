//! `secateur.toml`, drawn at random from what the binary takes.

use super::scene::Scene;
use crate::random::Random;

/// Settings that not every build of the binary takes: table, key, value.
pub const OPTIONAL: [(&str, &str, &str); 11] = [
    ("rewrite", "wildcards", "\"never\""),
    ("rewrite", "wildcards", "\"exact\""),
    ("rewrite", "wildcards", "\"fit\""),
    ("rewrite", "not_action", "\"extend\""),
    ("rewrite", "not_action", "\"advise\""),
    ("rewrite", "not_action", "\"invert\""),
    ("rewrite", "split", "true"),
    ("rewrite", "aws_managed", "\"advise\""),
    ("rewrite", "aws_managed", "\"replace\""),
    ("evidence", "kms", "\"advise\""),
    ("evidence", "kms", "\"prune\""),
];

/// A `[[keep]]` rule: these actions of these principals, or of all.
#[derive(Clone, Debug)]
pub struct Keep {
    /// The pattern of actions.
    pub actions: String,
    /// The principal, by place; none for all.
    pub principal: Option<usize>,
}

/// What a run is configured with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `min_idle_days`
    pub min_idle_days: i64,
    /// Whether `unknown_grant_date` is `keep`.
    pub keeps_unknown_grants: bool,
    /// Whether `kms_via_service` is `trust`.
    pub trusts_kms: bool,
    /// `max_key_idle_days`
    pub max_key_idle_days: i64,
    /// Whether `dormant` is `prune`.
    pub prunes_dormant: bool,
    /// `[[keep]]` rules.
    pub keep: Vec<Keep>,
    /// Principals of `[[ignore]]` rules, by place.
    pub ignore: Vec<usize>,
    /// Of [`OPTIONAL`], at most one value a key.
    pub optional: Vec<(&'static str, &'static str, &'static str)>,
}

/// `max_report_age_days`, as it is by default.
pub const MAX_REPORT_AGE_DAYS: i64 = 7;

impl Settings {
    /// Draws settings; `accepted` are those of [`OPTIONAL`] that the binary takes. The rules come later, when the principals
    /// are known.
    pub fn draw(random: &mut Random, accepted: &[(&'static str, &'static str, &'static str)]) -> Settings {
        let mut optional: Vec<(&'static str, &'static str, &'static str)> = Vec::new();
        for _ in 0..5 {
            let Some(one) = random.pick(accepted) else { break };
            if !optional.iter().any(|other| other.1 == one.1) {
                optional.push(*one);
            }
        }
        Settings {
            min_idle_days: *random.pick(&[1, 7, 30, 60, 90, 90, 90, 120, 180, 365]).unwrap_or(&90),
            keeps_unknown_grants: random.percent(20),
            max_key_idle_days: *random.pick(&[30, 90, 90, 180]).unwrap_or(&90),
            trusts_kms: random.percent(30),
            prunes_dormant: random.percent(70),
            keep: Vec::new(),
            ignore: Vec::new(),
            optional,
        }
    }

    /// Draws the rules.
    pub fn draw_rules(&mut self, random: &mut Random, principals: usize) {
        for pattern in ["s3:*", "ec2:Describe*", "*:List*", "iam:*", "sqs:DeleteQueue"] {
            if random.percent(6) {
                let principal = random.percent(50).then(|| random.below(principals));
                self.keep.push(Keep { actions: pattern.to_owned(), principal });
            }
        }
        if random.percent(15) {
            self.ignore.push(random.below(principals));
        }
    }

    /// Returns `min_idle_days` in seconds.
    pub fn min_idle(&self) -> i64 {
        self.min_idle_days * 86_400
    }

    /// Returns whether unused KMS keys leave policies.
    pub fn prunes_kms(&self) -> bool {
        self.optional.contains(&("evidence", "kms", "\"prune\""))
    }

    /// Returns the file.
    pub fn to_toml(&self, scene: &Scene) -> String {
        let address = |at: usize| scene.bearer_address(super::scene::Bearer::Principal(at));
        let word = |is: bool, yes: &str, no: &str| format!("\"{}\"", if is { yes } else { no });
        let mut text = format!(
            "[evidence]\nmin_idle_days = {}\nmax_key_idle_days = {}\nunknown_grant_date = {}\nkms_via_service = {}\ndormant = {}\n",
            self.min_idle_days,
            self.max_key_idle_days,
            word(self.keeps_unknown_grants, "keep", "assume-old"),
            word(self.trusts_kms, "trust", "protect"),
            word(self.prunes_dormant, "prune", "advise"),
        );
        for (head, table) in [("", "evidence"), ("\n[rewrite]\n", "rewrite")] {
            text.push_str(head);
            for (_, key, value) in self.optional.iter().filter(|own| own.0 == table) {
                text.push_str(&format!("{key} = {value}\n"));
            }
        }
        for keep in &self.keep {
            text.push_str(&format!("\n[[keep]]\nactions = [\"{}\"]\nreason = \"drawn\"\n", keep.actions));
            if let Some(at) = keep.principal {
                text.push_str(&format!("principals = [\"{}\"]\n", address(at)));
            }
        }
        for at in &self.ignore {
            text.push_str(&format!("\n[[ignore]]\nprincipals = [\"{}\"]\nreason = \"drawn\"\n", address(*at)));
        }
        text
    }
}
