use serde_json::{Value, json};

use super::super::Tracked;
use super::*;

const RESOURCE_TYPES: &str = include_str!("../../../catalog/resource_types.tsv");

fn day(text: &str) -> UnixTime {
    UnixTime::from_date(text.parse().unwrap())
}

fn catalog(rows: &[&str]) -> Catalog {
    let rows: String = rows.iter().map(|row| format!("{}\n", row.replace('|', "\t"))).collect();
    Catalog::from_actions(format!("{HEADER}\n{rows}"), Catalog::embedded().dates()).unwrap()
}

fn file(value: &Value) -> (String, Vec<u8>) {
    (format!("{}.json", value["Name"].as_str().unwrap()), value.to_string().into_bytes())
}

fn action(name: &str, tracked: bool) -> Value {
    json!({"Name": name, "SupportedBy": {"IAM Action Last Accessed": tracked}})
}

fn operation(name: &str, authorized: &[&str]) -> Value {
    let authorized = authorized.iter().filter_map(|name| name.split_once(':'));
    let authorized: Vec<Value> = authorized.map(|(service, name)| json!({"Service": service, "Name": name})).collect();
    json!({"Name": name, "AuthorizedActions": authorized})
}

/// Updates the rows with the files on 2026-11-05 and compares the rows that come out.
fn check(before: &[&str], files: &[Value], after: &[&str]) -> CatalogChanges {
    let files: Vec<_> = files.iter().map(file).collect();
    let (updated, changes) = Catalog::updated(&catalog(before), &files, day("2026-11-05")).unwrap();
    let rows: Vec<String> = updated.actions_table().lines().skip(1).map(|line| line.replace('\t', "|")).collect();
    assert_eq!(rows, after);
    changes
}

/// Writes the service reference that a table says; an action of unknown tracking is one that the reference does not have.
fn reference_of(table: &str) -> Vec<(String, Vec<u8>)> {
    let mut services: BTreeMap<String, (Vec<Value>, Vec<Value>)> = BTreeMap::new();
    for row in rows_of(table).values() {
        let (actions, operations) = services.entry(row.service.clone()).or_default();
        if row.tracked == "unknown" {
            continue;
        }
        let types: Vec<Value> =
            row.resource_types.split(',').filter(|name| !name.is_empty()).map(|name| json!({"Name": name})).collect();
        let mut action = action(&row.action, row.tracked == "yes");
        action["Resources"] = types.into();
        if row.access_level != "unknown" {
            action["Annotations"] = json!({"Properties": {
                "IsList": row.access_level == "list",
                "IsPermissionManagement": row.access_level == "permissions",
                "IsTaggingOnly": row.access_level == "tagging",
                "IsWrite": row.access_level == "write",
            }});
        }
        actions.push(action);
        if !row.implied_actions.is_empty() {
            let own = row.full_name();
            let authorized: Vec<&str> = row.implied_actions.split(',').chain([own.as_str()]).collect();
            operations.push(operation(&row.action, &authorized));
        }
    }
    let whole = |(name, (actions, operations)): (String, (Vec<Value>, Vec<Value>))| {
        file(&json!({"Name": name, "Actions": actions, "Operations": operations, "Version": "v1.4"}))
    };
    services.into_iter().map(whole).collect()
}

#[test]
fn without_files_nothing_changes() {
    let previous = Catalog::embedded();
    let (updated, changes) = Catalog::updated(previous, &[], day("2026-11-05")).unwrap();
    assert!(updated.actions_table() == previous.actions_table(), "the table is not the same, byte for byte");
    assert_eq!(updated.sha256(), previous.sha256());
    assert_eq!(updated.dates(), previous.dates());
    let services: Vec<_> = previous.services().map(|id| previous.service_prefix(id).to_owned()).collect();
    assert_eq!(changes, CatalogChanges { missing_services: services, ..CatalogChanges::default() });
    assert!(updated_resource_types(RESOURCE_TYPES, &[]).unwrap() == RESOURCE_TYPES);
    assert_eq!(previous.dates().table(), include_str!("../../../catalog/dates.tsv"));
}

#[test]
fn a_reference_that_says_what_the_table_says_changes_the_dates_alone() {
    let previous = Catalog::embedded();
    let files = reference_of(previous.actions_table());
    let (updated, changes) = Catalog::updated(previous, &files, day("2026-11-05")).unwrap();
    for (after, before) in updated.actions_table().lines().zip(previous.actions_table().lines()) {
        assert_eq!(after, before);
    }
    assert!(updated.actions_table() == previous.actions_table());
    assert_eq!(changes, CatalogChanges::default());
    assert_eq!(updated.dates().table(), "fact\tdate\nnames\t2026-11-05\nflags\t2026-11-05\n");
}

#[test]
fn one_missing_service_holds_the_dates_back() {
    let previous = Catalog::embedded();
    let mut files = reference_of(previous.actions_table());
    let (missing, _) = files.pop().unwrap();
    let (updated, changes) = Catalog::updated(previous, &files, day("2026-11-05")).unwrap();
    assert_eq!(updated.dates(), previous.dates());
    assert!(updated.actions_table() == previous.actions_table());
    assert_eq!(changes.missing_services, [missing.trim_end_matches(".json")]);
}

#[test]
fn the_flag_and_the_day_it_was_first_seen() {
    let before = [
        "s|Began|read|no||||",
        "s|Ended|read|yes|2026-01-13|||",
        "s|Kept|read|yes|2026-01-13|||",
        "s|Old|read|yes||||",
        "s|Untold|read|unknown||||",
    ];
    let actions = ["Began", "Kept", "New", "Old", "Untold"]
        .map(|name| action(name, true))
        .into_iter()
        .chain([json!({"Name": "Ended"})]);
    let changes = check(
        &before,
        &[json!({"Name": "s", "Actions": actions.collect::<Vec<_>>()})],
        &[
            "s|Began|read|yes|2026-11-05|||",
            "s|Ended|read|no||||",
            "s|Kept|read|yes|2026-01-13|||",
            "s|New|unknown|yes|2026-11-05|||",
            "s|Old|read|yes||||",
            "s|Untold|read|yes|2026-11-05|||",
        ],
    );
    assert_eq!(changes.added, ["s:New"]);
    assert_eq!(changes.newly_tracked, ["s:Began", "s:Untold"]);
    assert_eq!(changes.no_longer_tracked, ["s:Ended"]);
}

#[test]
fn what_the_reference_no_longer_lists_stays_and_is_unknown() {
    let changes = check(
        &["s|Gone|write|yes|2026-01-13|thing|s:Here|s:Here", "s|Here|read|no||||", "s-x|Other|read|yes||||"],
        &[json!({"Name": "s", "Actions": [action("Here", false)], "Operations": []})],
        &["s|Gone|write|unknown||thing|s:Here|s:Here", "s|Here|read|no||||", "s-x|Other|read|yes||||"],
    );
    assert_eq!(changes.removed, ["s:Gone"]);
    assert_eq!(changes.missing_services, ["s-x"]);
}

#[test]
fn facts_come_from_the_file_and_dependent_actions_from_the_previous_table() {
    let listed = json!({"Name": "GET", "Resources": [{"Name": "b"}, {"Name": "a"}],
                        "Annotations": {"Properties": {"IsList": true}}});
    check(
        &["s|Get|read|no||old|t:Put|", "t|Put|write|no||||"],
        &[json!({"Name": "s", "Actions": [listed]})],
        &["s|GET|list|no||a,b|t:Put|", "t|Put|write|no||||"],
    );
}

#[test]
fn the_action_of_an_operation_implies_the_others() {
    let actions = ["A", "B", "C", "D", "Lone"].map(|name| action(name, false));
    let operations = [
        operation("a", &["s:A", "s:B", "t:X"]),
        operation("NoAction", &["s:C", "s:D", "s:Nowhere"]),
        operation("Lone", &["s:Lone"]),
        operation("Alias", &["s:Lone", "s:Lone"]),
    ];
    let changes = check(
        &["s|A|read|no||||s:Lone", "s|Lone|read|no||||", "t|X|read|no||||"],
        &[json!({"Name": "s", "Actions": actions, "Operations": operations})],
        &[
            "s|A|read|no||||s:B,t:X",
            "s|B|unknown|no||||",
            "s|C|unknown|no||||s:D",
            "s|D|unknown|no||||s:C",
            "s|Lone|read|no||||",
            "t|X|read|no||||",
        ],
    );
    assert_eq!(changes.unresolved, ["s:Nowhere"]);
}

#[test]
fn links_that_may_come_from_operations_not_at_hand_stay() {
    let before = ["s|A|read|no||||s:B,t:X", "s|B|read|no||||", "t|X|read|no||||s:A"];
    let actions = [action("A", false), action("B", false)];
    let without = json!({"Name": "s", "Actions": actions});
    check(&before, &[without], &before);
    let with = || json!({"Name": "s", "Actions": actions, "Operations": []});
    check(&before, &[with()], &["s|A|read|no||||t:X", "s|B|read|no||||", "t|X|read|no||||s:A"]);
    let other = json!({"Name": "t", "Actions": [action("X", false)], "Operations": []});
    check(&before, &[with(), other], &["s|A|read|no||||", "s|B|read|no||||", "t|X|read|no||||"]);
}

#[test]
fn an_updated_catalogue_answers_by_the_new_facts() {
    let previous = Catalog::embedded();
    let files = [file(&json!({"Name": "sts", "Actions": [action("GetCallerIdentity", false), action("Dance", true)]}))];
    let (updated, _) = Catalog::updated(previous, &files, day("2026-11-05")).unwrap();
    let tracked = |name: &str| updated.tracked(updated.parse_action(name).unwrap());
    assert_eq!(tracked("sts:GetCallerIdentity"), Tracked::No);
    assert_eq!(tracked("sts:Dance"), Tracked::Yes { since: Some(day("2026-11-05")) });
    assert_eq!(tracked("sts:AssumeRole"), Tracked::Unknown);
}

#[test]
fn resource_types_of_a_service_come_from_its_file() {
    let before = "service\tresource_type\tarn\ns\told\tarn:1\nt\tkept\tarn:2, arn:3\n";
    let resources = json!([{"Name": "z", "ARNFormats": ["arn:5", "arn:4"]}, {"Name": "Y", "ARNFormats": ["arn:6"]}]);
    let files = [file(&json!({"Name": "s", "Actions": [], "Resources": resources}))];
    let after = "service\tresource_type\tarn\ns\tY\tarn:6\ns\tz\tarn:5, arn:4\nt\tkept\tarn:2, arn:3\n";
    assert_eq!(updated_resource_types(before, &files).unwrap(), after);
}
