//! What a rewrite must leave as the author wrote it: which statements there are, in which order, and all of them but the
//! actions.

use super::document::{Effect, Listed, Policy, Statement};

/// Says what is wrong with the form of a rewritten document; nothing if each of its statements comes from one of `before`, in
/// order and equal in all but actions, its Deny statements are the same, and so is its version.
pub fn check(before: &Policy, after: &Policy) -> Result<(), String> {
    if before.version != after.version {
        return Err(format!("the version {:?} became {:?}", before.version, after.version));
    }
    let denies = |policy: &Policy| -> Vec<Statement> {
        policy.statements.iter().filter(|statement| statement.effect == Effect::Deny).cloned().collect()
    };
    if denies(before) != denies(after) {
        return Err("the Deny statements are not the same".to_owned());
    }
    let mut origins = before.statements.iter();
    for statement in &after.statements {
        if !origins.any(|origin| comes_from(statement, origin)) {
            return Err(format!("the statement {statement:?} comes from none, or not in order"));
        }
    }
    Ok(())
}

/// Whether a statement can be what became of another one. Its actions are compared elsewhere; an `Action` list never becomes
/// a `NotAction` list.
fn comes_from(statement: &Statement, origin: &Statement) -> bool {
    let forms = (&origin.actions, &statement.actions);
    statement.sid == origin.sid
        && statement.effect == origin.effect
        && statement.resources == origin.resources
        && statement.conditions == origin.conditions
        && !matches!(forms, (Listed::These(_), Listed::AllBut(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(statements: &str) -> Policy {
        Policy::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap()
    }

    #[test]
    fn statements_go_or_lose_actions() {
        let a = r#"{"Sid":"A","Effect":"Allow","Action":["a:B","a:C"],"Resource":"*"}"#;
        let less = r#"{"Sid":"A","Effect":"Allow","Action":"a:B","Resource":["*"]}"#;
        let b = r#"{"Sid":"B","Effect":"Deny","NotAction":"a:B","Resource":"x"}"#;
        let all = policy(&format!("{a},{b}"));
        assert_eq!(check(&all, &all), Ok(()));
        assert_eq!(check(&all, &policy(&format!("{less},{b}"))), Ok(()));
        assert_eq!(check(&all, &policy(b)), Ok(()));
        assert!(check(&all, &policy(a)).is_err(), "a Deny is gone");
        assert!(check(&all, &policy(&format!("{b},{a}"))).is_err(), "the order is another");
        assert!(check(&all, &policy(&format!("{a},{a},{b}"))).is_err(), "a statement stands twice");
        let wider = less.replace("[\"*\"]", "\"y\"");
        assert!(check(&all, &policy(&format!("{wider},{b}"))).is_err(), "the resource is another");
    }

    #[test]
    fn a_list_of_actions_never_becomes_one_of_exceptions() {
        let these = policy(r#"{"Effect":"Allow","Action":"a:B","Resource":"*"}"#);
        let but = policy(r#"{"Effect":"Allow","NotAction":"a:C","Resource":"*"}"#);
        assert!(check(&these, &but).is_err());
        assert_eq!(check(&but, &these), Ok(()));
    }
}
