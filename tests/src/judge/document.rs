//! A policy document as the judge reads it.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.

use super::condition::Condition;
use super::json::Json;

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies.
    Deny,
}

/// A list, or the list of what is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// `Action` or `Resource`.
    These(Vec<String>),
    /// `NotAction` or `NotResource`.
    AllBut(Vec<String>),
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `Sid`
    pub sid: Option<String>,
    /// `Effect`
    pub effect: Effect,
    /// `Action` or `NotAction`
    pub actions: Listed,
    /// `Resource` or `NotResource`
    pub resources: Listed,
    /// `Condition`; empty if there is none.
    pub conditions: Vec<Condition>,
    /// What the statement is about besides its actions: effect, resources and conditions, in a normal form. Statements with
    /// equal atoms do the same to the same requests.
    pub atom: String,
}

/// A policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `Version`
    pub version: Option<String>,
    /// The statements in order.
    pub statements: Vec<Statement>,
}

impl Policy {
    /// Reads an identity policy.
    ///
    /// # Errors
    /// When the text is not one: duplicate or unknown keys, a missing element, a `Principal`. Says what.
    pub fn parse(text: &str) -> Result<Policy, String> {
        let json = Json::parse(text)?;
        let members = Members::of(&json, &["Version", "Id", "Statement"])?;
        let statements = members.get("Statement").ok_or("no Statement")?;
        Ok(Policy {
            version: members.get("Version").map(|version| string(version, "Version")).transpose()?,
            statements: statements.items().iter().map(statement).collect::<Result<_, _>>()?,
        })
    }

    /// Returns whether `${...}` is a variable: only in the newer language. See
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html>.
    pub fn has_variables(&self) -> bool {
        self.version.as_deref() == Some("2012-10-17")
    }
}

/// An object without duplicate or unknown keys.
struct Members<'a>(&'a [(String, Json)]);

impl<'a> Members<'a> {
    fn of(json: &'a Json, known: &[&str]) -> Result<Members<'a>, String> {
        let members = json.members().ok_or("not an object")?;
        for (at, (key, _)) in members.iter().enumerate() {
            if !known.contains(&key.as_str()) {
                return Err(format!("unknown key `{key}`"));
            }
            if members.iter().skip(at + 1).any(|(other, _)| other == key) {
                return Err(format!("duplicate key `{key}`"));
            }
        }
        Ok(Members(members))
    }

    fn get(&self, key: &str) -> Option<&'a Json> {
        self.0.iter().find(|(own, _)| own == key).map(|(_, value)| value)
    }

    fn listed(&self, key: &str) -> Result<Option<Listed>, String> {
        let not = format!("Not{key}");
        match (self.get(key), self.get(&not)) {
            (Some(list), None) => Ok(Some(Listed::These(strings(list, key)?))),
            (None, Some(list)) => Ok(Some(Listed::AllBut(strings(list, &not)?))),
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(format!("both {key} and {not}")),
        }
    }
}

fn string(json: &Json, what: &str) -> Result<String, String> {
    json.text().map(str::to_owned).ok_or_else(|| format!("{what} is no string"))
}

fn strings(json: &Json, what: &str) -> Result<Vec<String>, String> {
    json.items().iter().map(|item| string(item, what)).collect()
}

fn statement(json: &Json) -> Result<Statement, String> {
    let known = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    let members = Members::of(json, &known)?;
    let effect = match members.get("Effect").and_then(Json::text) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        _ => return Err("Effect is neither Allow nor Deny".to_owned()),
    };
    let actions = members.listed("Action")?.ok_or("neither Action nor NotAction")?;
    let resources = members.listed("Resource")?.ok_or("neither Resource nor NotResource")?;
    let conditions = members.get("Condition").map(Condition::parse_block).transpose()?.unwrap_or_default();
    Ok(Statement {
        sid: members.get("Sid").map(|sid| string(sid, "Sid")).transpose()?,
        atom: atom(effect, &resources, &conditions),
        effect,
        actions,
        resources,
        conditions,
    })
}

fn atom(effect: Effect, resources: &Listed, conditions: &[Condition]) -> String {
    let (word, list) = match resources {
        Listed::These(list) => ("Resource", list),
        Listed::AllBut(list) => ("NotResource", list),
    };
    let mut list = list.clone();
    list.sort();
    list.dedup();
    let mut blocks: Vec<String> = conditions.iter().map(Condition::normal_form).collect();
    blocks.sort();
    format!("{effect:?} {word} {list:?} {}", blocks.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATEMENT: &str = r#""Effect":"Allow","Action":"s3:*","Resource":"*""#;

    #[test]
    fn one_statement_and_one_value_need_no_brackets() {
        let policy = Policy::parse(&format!("{{\"Statement\":{{{STATEMENT}}}}}")).unwrap();
        assert_eq!(policy.statements[0].actions, Listed::These(vec!["s3:*".into()]));
        assert!(!policy.has_variables());
    }

    #[test]
    fn the_normal_form_forgets_order_and_keeps_the_rest() {
        let atom = |rest: &str| {
            let text = format!(r#"{{"Statement":{{"Effect":"Allow","Action":"a:B",{rest}}}}}"#);
            Policy::parse(&text).unwrap().statements[0].atom.clone()
        };
        assert_eq!(atom(r#""Resource":["a","b"]"#), atom(r#""Resource":["b","a","b"]"#));
        assert_ne!(atom(r#""Resource":["a"]"#), atom(r#""NotResource":["a"]"#));
        assert_ne!(
            atom(r#""Resource":"*","Condition":{"Bool":{"k":"true"}}"#),
            atom(r#""Resource":"*","Condition":{"BoolIfExists":{"k":"true"}}"#)
        );
    }

    #[test]
    fn what_is_not_an_identity_policy_is_refused() {
        for (text, expect) in [
            (r#"{"Statement":[{"Effect":"Allow","Action":"a:B"}]}"#, "neither Resource nor NotResource"),
            (r#"{"Statement":[{"Effect":"Allow","Effect":"Deny"}]}"#, "duplicate key `Effect`"),
            (r#"{"Statement":[{"Principal":"*"}]}"#, "unknown key `Principal`"),
            (r#"{"Statement":[{"Effect":"allow"}]}"#, "Effect is neither Allow nor Deny"),
            (r#"{"Version":"2012-10-17"}"#, "no Statement"),
        ] {
            assert_eq!(Policy::parse(text).unwrap_err(), expect, "{text}");
        }
    }
}
