//! Honest rewrites are proved, and every planted fault is refused by its name.

mod evidence;
mod faults;
mod holders;
mod properties;

use std::sync::Arc;

use secateur_analyzer::account::Account;
use secateur_analyzer::account::sketch::{NOW, Sketch, time};
use secateur_analyzer::analysis::{Analysis, Inputs};
use secateur_analyzer::graph::PolicyId;
use secateur_analyzer::rules::{Rules, Settings};

use super::*;
use crate::rewrite::tests::documents::small_catalog;
use crate::rewrite::{NotActionRewrite, Outcome, Rewriting, Splitting, rewrite};

/// What a role `r` used: of `aa`, only `Get` and `ListItems`; of `aab` nothing; of `bb`, only `GetBb`. It may also use `zz`,
/// which the catalogue does not know. `aa:DeleteItem` and `bb:Put` are not tracked.
const REPORT: &str = "aa 2026-10-01: Get=2026-10-01, GetItem, GetItemAcl, ListItems=2026-10-01, PutItem
    aab -: Get, getItem, GetTHING, ListItems, putThing, Tag
    bb 2026-10-01: GetB, GetBb=2026-10-01, PutAll, List, Decrypt, Any
    zz 2026-10-01: Any";

struct Case {
    account: Account,
    settings: Settings,
    rules: Rules,
}

/// An account of the small catalogue, with a role `r` and its report.
fn sketch() -> Sketch {
    Sketch::new().catalog(Arc::new(small_catalog())).principal("role/r").report("role/r", REPORT)
}

fn case(sketch: Sketch) -> Case {
    Case { account: sketch.build(), settings: Settings::default(), rules: Rules::default() }
}

/// The role with one inline policy.
fn inline(text: &str) -> Case {
    case(sketch().inline("role/r", "p", text))
}

impl Case {
    fn analyze(&self) -> Analysis<'_> {
        let inputs = Inputs::new(&self.account, &self.settings, &self.rules, time(NOW).unwrap());
        Analysis::new(inputs).unwrap()
    }

    /// `proved`, or the name of what does not hold, for the only policy and all its holders.
    fn prove(&self, before: &str, after: Option<&str>) -> String {
        let analysis = self.analyze();
        let policy = only_policy(&analysis);
        name(prove(&Claim { policy, through: None, before, after: after.as_slice() }, &analysis))
    }

    /// What the rewriter makes of the only policy: nothing when nothing is left.
    fn rewrite(&self, splitting: Splitting) -> Option<String> {
        let analysis = self.analyze();
        let policy = only_policy(&analysis);
        let document = analysis.graph().policy(policy).unwrap().document().unwrap().policy().unwrap();
        let unknown = analysis.unknown_names(policy, document).names;
        let by = Rewriting {
            catalog: analysis.catalog(),
            removable: &analysis.policy(policy).unwrap().removable,
            unknown: &unknown,
            not_action: NotActionRewrite::Extend,
            splitting,
        };
        match rewrite(document, &by).outcome {
            Outcome::Unchanged => Some(document.text().to_owned()),
            Outcome::Changed(text) => Some(text),
            Outcome::Empty => None,
        }
    }
}

fn only_policy(analysis: &Analysis<'_>) -> PolicyId {
    analysis.graph().policies().next().expect("no policy")
}

fn name(result: Result<Proof, ProofError>) -> String {
    result.map_or_else(|error| error.name(), |_| "proved".to_owned())
}
