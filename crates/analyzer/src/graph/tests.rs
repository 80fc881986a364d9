use super::*;
use crate::account::sketch::Sketch;

const DOC: &str = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;

fn account() -> Account {
    Sketch::new()
        .principal("role/ci")
        .principal("user/ann")
        .principal("user/bob")
        .group("group/data")
        .group("group/empty")
        .member("user/ann", "group/data")
        .member("user/ann", "group/DATA")
        .member("user/bob", "group/gone")
        .managed("policy/shared", DOC)
        .managed("policy/lonely", DOC)
        .managed("policy/aws:ReadOnlyAccess", DOC)
        .attach("role/ci", "policy/shared")
        .attach("user/ann", "policy/shared")
        .attach("group/data", "policy/shared")
        .attach("group/empty", "policy/aws:ReadOnlyAccess")
        .attach("role/ci", "policy/missing")
        .inline("role/ci", "deploy", DOC)
        .inline("group/data", "lake", DOC)
        .build()
}

fn describe(graph: &Graph<'_>, id: PolicyId) -> String {
    let holders: Vec<String> = graph
        .holders(id)
        .iter()
        .map(|holder| {
            let name = graph.entity_address(Entity::Principal(holder.principal));
            let paths: Vec<String> = holder
                .paths
                .iter()
                .map(|path| match path {
                    Path::Direct => "direct".to_owned(),
                    Path::Group(at) => graph.entity_address(Entity::Group(*at)),
                })
                .collect();
            format!("{name} by {}", paths.join(" and "))
        })
        .collect();
    format!("{}: {}", graph.address(id), holders.join(", "))
}

#[test]
fn a_holder_is_the_one_among_all() {
    let account = account();
    let graph = Graph::new(&account);
    for id in graph.policies() {
        let principals = (0..account.principals.len()).map(PrincipalId);
        let found: Vec<Holder> = principals.filter_map(|principal| graph.holder(id, principal)).collect();
        assert_eq!(found, graph.holders(id), "{}", graph.address(id));
    }
}

#[test]
fn holders_and_the_path_of_each() {
    let account = account();
    let graph = Graph::new(&account);
    let got: Vec<String> = graph.policies().map(|id| describe(&graph, id)).collect();
    assert_eq!(
        got,
        [
            "group/data/inline/lake: user/ann by group/data",
            "policy/aws:ReadOnlyAccess: ",
            "policy/lonely: ",
            "policy/shared: role/ci by direct, user/ann by direct and group/data",
            "role/ci/inline/deploy: role/ci by direct",
        ]
    );
}

#[test]
fn the_policies_of_a_principal_come_directly_and_through_groups() {
    let account = account();
    let graph = Graph::new(&account);
    let ann = account.principals.iter().position(|principal| principal.name == "ann").unwrap();
    let got: Vec<&str> = graph.policies_of(PrincipalId(ann)).into_iter().map(|id| graph.address(id)).collect();
    assert_eq!(got, ["group/data/inline/lake", "policy/shared"]);
}

#[test]
fn what_leads_nowhere_is_remembered() {
    let account = account();
    let graph = Graph::new(&account);
    let got: Vec<String> = graph
        .dangling()
        .iter()
        .map(|(id, what)| format!("{} -> {what}", graph.entity_address(Entity::Principal(*id))))
        .collect();
    assert_eq!(got, ["role/ci -> arn:aws:iam::111122223333:policy/missing", "user/bob -> group/gone"]);
}
