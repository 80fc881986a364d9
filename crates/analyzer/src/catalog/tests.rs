use super::*;

fn names(pattern: &str) -> Vec<String> {
    let catalog = Catalog::embedded();
    catalog.matches(&ActionPattern::new(pattern)).iter().map(|id| catalog.full_name(id)).collect()
}

#[test]
fn the_embedded_catalogue_is_whole() {
    let catalog = Catalog::embedded();
    assert_eq!(catalog.len(), catalog.actions_table().lines().count() - 1);
    assert_eq!(catalog.services().map(|service| catalog.actions_of(service).count()).sum::<usize>(), catalog.len());
    for id in catalog.actions() {
        assert_eq!(catalog.parse_action(&catalog.full_name(id).to_uppercase()), Some(id));
    }
    assert_eq!(catalog.dates().names.to_string(), "2026-09-26T00:00:00Z");
}

#[test]
fn facts_of_an_action() {
    let catalog = Catalog::embedded();
    let pass_role = catalog.parse_action("iam:passrole").unwrap();
    assert_eq!(catalog.full_name(pass_role), "iam:PassRole");
    assert_eq!(catalog.tracked(pass_role), Tracked::No);
    assert_eq!(catalog.access_level(pass_role), AccessLevel::Write);
    let create = catalog.parse_action("access-analyzer:CreateAnalyzer").unwrap();
    let related: Vec<_> = catalog.related(create).iter().map(|&id| catalog.full_name(id)).collect();
    assert_eq!(related, ["access-analyzer:TagResource", "iam:CreateServiceLinkedRole"]);
    assert_eq!(catalog.parse_action("s3:NoSuchAction"), None);
}

#[test]
fn patterns_find_what_brute_force_finds() {
    let catalog = Catalog::embedded();
    for pattern in [
        "*",
        "*:*",
        "s3:*",
        "S3:Get*",
        "s3:*Object",
        "s3:g?t*",
        "ec2:DescribeInstances",
        "*Get*",
        "s?:*",
        "x",
        "",
        "nope:*",
    ] {
        let compiled = ActionPattern::new(pattern);
        let expect: Vec<ActionId> = catalog.actions().filter(|&id| compiled.matches(&catalog.full_name(id))).collect();
        assert_eq!(catalog.matches(&compiled).iter().collect::<Vec<_>>(), expect, "{pattern}");
    }
    assert_eq!(names("sts:GetCaller*"), ["sts:GetCallerIdentity"]);
}

#[test]
fn a_malformed_table_is_refused_with_its_line() {
    let check = |rows: &str, expect: &str| {
        let table = format!("{}\n{rows}\n", load::HEADER);
        let error = Catalog::from_actions(table, Catalog::embedded().dates()).unwrap_err();
        assert_eq!(error.to_string(), expect);
    };
    check("s3\tGet", "actions.tsv, line 2: 8 columns are needed, the first two of them not empty");
    check("s3\tGet\tsome\tyes\t\t\t\t", "actions.tsv, line 2: unknown access level");
    check("s3\tGet\tread\tmaybe\t\t\t\t", "actions.tsv, line 2: tracked must be yes, no or unknown");
    check("s3\tGet\tread\tyes\tsoon\t\t\t", "actions.tsv, line 2: tracked_since is not a date");
    check(
        "s3\tA\tread\tno\t\t\t\t\ns3\ta\tread\tno\t\t\t\t",
        "actions.tsv, line 3: the action stands in the table twice",
    );
    check("s3\tGet\tread\tno\t\t\ts3:Put\t", "actions.tsv, line 2: `s3:Put` is not an action of the table");
}

#[test]
fn runtime_actions_go_by_service_whatever_region_and_partition() {
    let runtime = Catalog::embedded().runtime();
    assert!(!runtime.of("lambda.amazonaws.com").is_empty());
    assert_eq!(runtime.of("states.eu-west-1.amazonaws.com"), runtime.of("states.amazonaws.com"));
    assert_eq!(runtime.of("lambda.amazonaws.com.cn"), runtime.of("lambda.amazonaws.com"));
    assert!(runtime.of("ec2.amazonaws.com").is_empty());
}
