//! Documents that are stored, as IAM reads them: old ones may hold what it would not take today.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_policies.html#morethanonepolicyblock>.

use serde_json::{Map, Value};

use crate::judge::{Json, Policy};

/// Reads a stored document: of several effects the last counts, several lists of actions or resources are one, and unknown
/// members are nothing. What is no policy at all grants nothing.
pub fn read(document: &str) -> Option<Policy> {
    Policy::parse(document).ok().or_else(|| {
        let json = Json::parse(document).ok()?;
        Policy::parse(&policy(&json)?.to_string()).ok()
    })
}

fn policy(json: &Json) -> Option<Value> {
    let mut clean = Map::new();
    let mut statements = Vec::new();
    for (name, value) in json.members()? {
        match name.as_str() {
            "Version" => drop(clean.insert(name.clone(), plain(value))),
            "Statement" => statements.extend(value.items().iter().filter_map(statement)),
            _ => {}
        }
    }
    clean.insert(String::from("Statement"), Value::Array(statements));
    Some(Value::Object(clean))
}

fn statement(json: &Json) -> Option<Value> {
    let mut clean: Map<String, Value> = Map::new();
    for (name, value) in json.members()? {
        match name.as_str() {
            "Action" | "NotAction" | "Resource" | "NotResource" => {
                let list = clean.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(list) = list {
                    list.extend(value.items().iter().map(plain));
                }
            }
            "Sid" | "Effect" | "Condition" => drop(clean.insert(name.clone(), plain(value))),
            _ => {}
        }
    }
    Some(Value::Object(clean))
}

fn plain(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => number.parse::<f64>().map_or(Value::Null, Value::from),
        Json::Text(text) => Value::String(text.clone()),
        Json::List(items) => items.iter().map(plain).collect(),
        Json::Object(members) => members.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_of_old_documents_are_merged() {
        let policy = read(
            r#"{"Comment":"x","Statement":[{"Effect":"Deny","Effect":"Allow","Action":"s3:Get*","Action":["s3:Put*"],"Resource":"*"}]}"#,
        );
        let clean = r#"{"Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:Put*"],"Resource":["*"]}]}"#;
        assert_eq!(policy, Policy::parse(clean).ok());
        assert_eq!(read("{\"Statement\":[{\"Eff"), None);
    }
}
