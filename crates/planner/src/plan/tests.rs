//! Whole plans of small accounts.

mod blocked;
mod expired;
mod frozen;
mod messages;
mod nothing_goes;
mod readmitted;
mod selection;
mod still_granted;
mod words;

use secateur_analyzer::account::sketch::{NOW, Sketch, time};
use secateur_analyzer::analysis::{Analysis, Inputs};
use secateur_analyzer::catalog::Catalog;
use secateur_analyzer::document::sha256_of;
use secateur_analyzer::rules::{Rules, Settings};

use super::{Change, InputFile, Limits, Plan, PlanOptions, RewriteSettings, Selection, build, verify};

/// An account, and how it is planned.
struct Case {
    sketch: Sketch,
    rewrite: RewriteSettings,
    limits: Limits,
    selection: Selection,
    rules: Rules,
}

impl Case {
    fn new(sketch: Sketch) -> Case {
        Case {
            sketch,
            rewrite: RewriteSettings::default(),
            limits: Limits::default(),
            selection: Selection::default(),
            rules: Rules::default(),
        }
    }

    /// Makes the plan, which must be proved and pass verification.
    fn plan(self) -> Plan {
        let account = self.sketch.build();
        let settings = Settings::default();
        let inputs = Inputs::new(&account, &settings, &self.rules, time(NOW).unwrap());
        let analysis = Analysis::new(inputs).unwrap();
        let options = PlanOptions {
            rewrite: self.rewrite,
            limits: self.limits,
            selection: self.selection,
            ..PlanOptions::new(InputFile { path: "snapshot".to_owned(), sha256: sha256_of(b"") })
        };
        let built = build(&analysis, &options);
        assert!(built.unproved.is_empty(), "{:?}", built.unproved);
        assert_eq!(verify(&built.plan, &analysis, &options), Ok(()));
        built.plan
    }
}

/// A document of statements.
fn document(statements: &[&str]) -> String {
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", statements.join(","))
}

/// An Allow statement on everything, with more elements.
fn allow(elements: &str) -> String {
    format!("{{\"Effect\":\"Allow\",\"Resource\":\"*\",{elements}}}")
}

/// A statement whose `NotAction` leaves S3 alone, so that the report need list nothing else.
fn all_of_s3(elements: &str) -> String {
    let catalog = Catalog::embedded();
    let services = catalog.services().map(|service| catalog.service_prefix(service)).filter(|prefix| *prefix != "s3");
    let list: Vec<String> = services.map(|prefix| format!("\"{prefix}:*\"")).collect();
    allow(&format!("{elements}\"NotAction\":[{}]", list.join(",")))
}

fn changes(plan: &Plan) -> Vec<&str> {
    plan.changes.iter().map(|change| change.address.as_str()).collect()
}

fn change<'p>(plan: &'p Plan, address: &str) -> &'p Change {
    let found = plan.changes.iter().find(|change| change.address == address);
    found.unwrap_or_else(|| panic!("{address} is not among {:?}", changes(plan)))
}
