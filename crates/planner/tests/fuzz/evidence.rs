//! Reports drawn from bytes, and what may go by them: a small reading of the table of verdicts in `docs/semantics.md`.

use arbitrary::{Result, Unstructured};

/// The actions of the drawn catalogue, and whether AWS reports their last use.
pub const ACTIONS: [(&str, bool); 21] = [
    ("aa:DeleteItem", false),
    ("aa:Get", true),
    ("aa:GetItem", true),
    ("aa:GetItemAcl", true),
    ("aa:ListItems", true),
    ("aa:PutItem", true),
    ("aab:Get", true),
    ("aab:getItem", true),
    ("aab:GetTHING", true),
    ("aab:ListItems", true),
    ("aab:putThing", true),
    ("bb:Decrypt", true),
    ("bb:GetB", true),
    ("bb:GetBb", true),
    ("bb:List", true),
    ("bb:Put", false),
    ("bb:PutAll", true),
    ("iam:GetRole", true),
    ("iam:PassRole", false),
    ("kms:Decrypt", true),
    ("kms:ListKeys", true),
];
/// Names that the catalogue does not have.
pub const INVENTED: [&str; 8] =
    ["aa:New", "aa:GetFuture", "bb:Any", "zz:Any", "zz:GetItem", "zz:x", "qq:Get", "aac:ListItems"];

const SERVICES: [&str; 5] = ["aa", "aab", "bb", "iam", "kms"];

/// A last use: none, long ago, or within the last 90 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Never,
    Old,
    Recent,
}

impl Last {
    fn draw(u: &mut Unstructured<'_>) -> Result<Last> {
        Ok(*u.choose(&[Last::Never, Last::Never, Last::Recent, Last::Old])?)
    }

    /// The day, as sketches take it.
    fn day(self) -> &'static str {
        match self {
            Last::Never => "-",
            Last::Old => "2025-02-01",
            Last::Recent => "2026-10-01",
        }
    }
}

/// What a report says of one service.
#[derive(Clone, Debug)]
struct Row {
    service: String,
    last: Last,
    /// The actions that are listed, by name; none where the row has no list.
    actions: Option<Vec<(String, Last)>>,
}

/// A report.
#[derive(Clone, Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
}

/// Whether an action may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It must stay.
    Stays,
    /// It may go, and must not go if a rule that is not told here protects it.
    MayGo,
    /// It goes.
    Goes,
}

impl Report {
    /// Draws a report.
    pub fn draw(u: &mut Unstructured<'_>) -> Result<Report> {
        let mut rows = Vec::new();
        for service in SERVICES {
            if u.int_in_range(0..=9)? == 9 {
                continue;
            }
            let last = Last::draw(u)?;
            let has_list = u.int_in_range(0..=7)? != 7;
            let mut actions = Vec::new();
            for (name, is_tracked) in ACTIONS {
                let Some(name) = name.strip_prefix(service).and_then(|rest| rest.strip_prefix(':')) else { continue };
                if is_tracked && u.int_in_range(0..=7)? != 7 {
                    actions.push((name.to_owned(), Last::draw(u)?));
                }
            }
            if u.int_in_range(0..=3)? == 3 {
                actions.push(("New".to_owned(), Last::draw(u)?));
            }
            rows.push(Row { service: service.to_owned(), last, actions: has_list.then_some(actions) });
        }
        if u.int_in_range(0..=3)? == 3 {
            let actions = u.arbitrary::<bool>()?.then(|| vec![("Any".to_owned(), Last::Never)]);
            rows.push(Row { service: "zz".to_owned(), last: Last::draw(u)?, actions });
        }
        Ok(Report { rows })
    }

    /// Returns the rows as sketches take them.
    pub fn text(&self) -> String {
        let action = |(name, last): &(String, Last)| format!("{name}={}", last.day());
        let row = |row: &Row| match &row.actions {
            None => format!("{} {}", row.service, row.last.day()),
            Some(actions) => {
                let actions: Vec<String> = actions.iter().map(action).collect();
                format!("{} {}: {}", row.service, row.last.day(), actions.join(", "))
            }
        };
        self.rows.iter().map(row).collect::<Vec<_>>().join("\n")
    }

    /// Returns whether an action of the catalogue may go for a holder with this report.
    pub fn fate(&self, name: &str, is_tracked: bool) -> Fate {
        let (service, action) = name.split_once(':').unwrap_or_default();
        let Some(row) = self.rows.iter().find(|row| row.service == service) else { return Fate::Stays };
        if name == "iam:PassRole" {
            return Fate::Stays;
        }
        let may_go = if row.is_active() {
            let mut listed = row.actions.iter().flatten().filter(|(own, _)| own == action);
            is_tracked && listed.next().is_some_and(|(_, last)| *last != Last::Recent)
        } else {
            true
        };
        // KMS actions are protected while another service is active.
        match (may_go, name == "kms:Decrypt") {
            (false, _) => Fate::Stays,
            (true, true) => Fate::MayGo,
            (true, false) => Fate::Goes,
        }
    }

    /// Returns whether the report knows the name, which the catalogue does not: alone, or by its service.
    pub fn knows(&self, name: &str) -> bool {
        let (service, action) = name.split_once(':').unwrap_or_default();
        let lists = |row: &Row| row.actions.iter().flatten().any(|(own, _)| own == action);
        let is_foreign = !SERVICES.contains(&service);
        self.rows.iter().any(|row| row.service == service && (is_foreign || lists(row)))
    }
}

impl Row {
    fn is_active(&self) -> bool {
        self.last == Last::Recent || self.actions.iter().flatten().any(|(_, last)| *last == Last::Recent)
    }
}
